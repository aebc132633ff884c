// SPDX-License-Identifier: MIT
// The exceptions of the kit, and the exit codes by which a child tells the parent what to do.
#pragma once

#include "brood/cxx20.hpp"

#include <stdexcept>
#include <string>

namespace brood {

// The values are those of <sysexits.h>, if it has them.
enum class ExitCode : int {
  left = 0,            // left as told
  software = 70,       // an error in the program: the child is replaced
  sick = 71,           // the system fails (memory, descriptors, privileges): replaced after growing delays
  configuration = 78,  // a new start cannot help: the service is stopped
};

// The message says in one line what failed, on what, and why.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what, ExitCode code = ExitCode::software)
      : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// A system call that failed: "bind to 127.0.0.1:80: Permission denied".
class SystemError : public Error {
 public:
  SystemError(const std::string& what, int error_number, ExitCode code = ExitCode::sick);
  int error_number() const { return error_number_; }

 private:
  int error_number_;
};

// A wrong setting, argument or file. what() has all mistakes, one on a line.
class ConfigurationError : public Error {
 public:
  explicit ConfigurationError(const std::string& what) : Error(what, ExitCode::configuration) {}
};

}  // namespace brood
