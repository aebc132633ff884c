// SPDX-License-Identifier: MIT
// The command line: what all verbs share, the verb, and what is for the verb to read.
#pragma once

#include <string>
#include <vector>

namespace brood::ctl {

struct Invocation {
  std::string verb;
  std::vector<std::string> arguments;
  std::string server;             // NAME, PATH, or "" for the only one
  std::string runtime_directory;  // "": the default one
  bool json = false;
  bool now = false;
  bool help = false;
};

Invocation parse_invocation(const std::vector<std::string>& words);  // throws Failure

}  // namespace brood::ctl
