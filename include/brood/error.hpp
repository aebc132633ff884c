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

// The connection to the peer broke: the peer, or the network, has ended it. Thrown by Connection and
// AsyncConnection. If it leaves a handler, the connection does not count as failed.
class ConnectionError : public SystemError {
 public:
  ConnectionError(const std::string& what, int error_number)
      : SystemError(what, error_number, ExitCode::software) {}
};

// A wait for the peer took longer than its timeout, or connection-timeout is over (error_number() is
// ETIMEDOUT).
class TimeoutError : public ConnectionError {
 public:
  explicit TimeoutError(const std::string& what);
};

// The peer has sent a line, or another piece, that is longer than its reader permits. Connection::skip()
// drops the rest of it, and the handler may go on. If it leaves a handler, the connection does not count as
// failed.
class TooLongError : public Error {
 public:
  explicit TooLongError(const std::string& what) : Error(what) {}
};

// A wrong setting, argument or file. what() has all mistakes, one on a line.
class ConfigurationError : public Error {
 public:
  explicit ConfigurationError(const std::string& what) : Error(what, ExitCode::configuration) {}
};

}  // namespace brood
