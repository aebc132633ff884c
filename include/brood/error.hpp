// SPDX-License-Identifier: MIT
// What is thrown, and the exit codes by which a process tells its parent what to do.
#pragma once

#include "brood/cxx20.hpp"

#include <stdexcept>
#include <string>

namespace brood {

// The values are those of <sysexits.h> where it has one.
enum class ExitCode : int {
  left = 0,            // left as asked
  software = 70,       // a failure inside: the child is replaced
  sick = 71,           // the surroundings fail (memory, descriptors, privileges): replaced, ever later
  configuration = 78,  // starting again can't help: the service is stopped
};

// An error that names what failed, on what, and why, in one line that an operator can act on.
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

// A wrong setting, argument or file. Everything that was found wrong is in what(), one line each.
class ConfigurationError : public Error {
 public:
  explicit ConfigurationError(const std::string& what) : Error(what, ExitCode::configuration) {}
};

}  // namespace brood
