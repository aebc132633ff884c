// SPDX-License-Identifier: MIT
// Finds the scoreboard of the server that an administrator names.
#pragma once

#include <stdexcept>
#include <string>

#include "base/control_protocol.hpp"

namespace brood::ctl {

// A sentence for the administrator, and the exit code: an outcome of control_protocol.hpp.
class Failure : public std::runtime_error {
 public:
  Failure(const std::string& what, int exit_code) : std::runtime_error(what), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// A path (it has a '/'), or the name of a server that has a scoreboard in `directory`.
bool names_server(const std::string& word, const std::string& directory);
// The path of the scoreboard. `wanted`: as names_server() takes it, or "" for the only server in `directory`,
// or the only one that runs, if others have left their files. Throws Failure.
std::string locate(const std::string& wanted, const std::string& directory);

std::string directory_of(const std::string& given);  // "": the default directory

}  // namespace brood::ctl
