// SPDX-License-Identifier: MIT
// The command line of broodctl: the options of all commands, the command, and the arguments, which the
// command checks.
#pragma once

#include <string>
#include <vector>

namespace brood::ctl {

struct Invocation {
  std::string command;
  std::vector<std::string> arguments;
  std::string server;             // NAME, PATH, or "" for the only server
  std::string runtime_directory;  // "": the default directory
  bool json = false;
  bool now = false;
  bool help = false;
  bool version = false;
};

Invocation parse_invocation(const std::vector<std::string>& words);  // throws Failure

}  // namespace brood::ctl
