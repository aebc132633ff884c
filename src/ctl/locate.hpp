// SPDX-License-Identifier: MIT
// From what an administrator types to the scoreboard that is meant.
#pragma once

#include <stdexcept>
#include <string>

namespace brood::ctl {

// A sentence for the administrator, and the exit code that goes with it.
class Failure : public std::runtime_error {
 public:
  Failure(const std::string& what, int exit_code) : std::runtime_error(what), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

inline constexpr int no_scoreboard = 2;   // critical: where a server should be, there is none
inline constexpr int wrong_usage = 64;    // EX_USAGE
inline constexpr int unavailable = 69;    // EX_UNAVAILABLE: there is nobody to take an order
inline constexpr int not_permitted = 77;  // EX_NOPERM: nothing was learned about the server

// `wanted`: a path (it has a '/'), the name of a server in `directory`, or "" for the only one there. Throws
// Failure.
std::string locate(const std::string& wanted, const std::string& directory);

std::string directory_of(const std::string& given);  // "": the default one

}  // namespace brood::ctl
