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
  std::string exit_code;          // what that of status or agent says; "": what it always says
  bool json = false;
  bool now = false;
  bool ready = false;
  // Of convert:
  std::string from;          // "": it is guessed from the names of the files
  std::string output;        // a directory; "": standard output
  std::string command_gets;  // "": slot
  bool force = false;
  bool help = false;
  bool version = false;
};

Invocation parse_invocation(const std::vector<std::string>& words);  // throws Failure

}  // namespace brood::ctl
