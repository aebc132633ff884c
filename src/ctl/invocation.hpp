// SPDX-License-Identifier: MIT
// The command line of broodctl: the options of all commands, the command, and the arguments, which the
// command checks.
#pragma once

#include <map>
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
  std::map<std::string, std::string> of_one_command;  // "--interval" -> "2s"; "" behind one without a value

  bool has(const std::string& name) const { return of_one_command.contains(name); }
  std::string option(const std::string& name) const;  // "": it was not given
};

Invocation parse_invocation(const std::vector<std::string>& words);  // throws Failure
// Of `of_one_command`. Throws Failure if one was given that is not for the command.
void check_options(const Invocation& invocation);

}  // namespace brood::ctl
