// SPDX-License-Identifier: MIT
#include "invocation.hpp"

#include <iterator>

#include "locate.hpp"

namespace brood::ctl {

Invocation parse_invocation(const std::vector<std::string>& words) {
  Invocation invocation;
  bool only_arguments = false;  // after "--"
  for (auto word = words.begin(); word != words.end(); ++word) {
    const auto takes = [&](const std::string& option, std::string& value) {
      if (word->starts_with(option + '=')) {
        value = word->substr(option.size() + 1);
        return true;
      }
      if (*word != option || std::next(word) == words.end()) return false;
      value = *++word;
      return true;
    };
    if (only_arguments || word->empty() || word->front() != '-') {
      (invocation.command.empty() ? invocation.command : invocation.arguments.emplace_back()) = *word;
    } else if (*word == "--") {
      only_arguments = true;
    } else if (*word == "--json") {
      invocation.json = true;
    } else if (*word == "--now") {
      invocation.now = true;
    } else if (*word == "--force") {
      invocation.force = true;
    } else if (*word == "--ready") {
      invocation.ready = true;
    } else if (*word == "--help" || *word == "-h") {
      invocation.help = true;
    } else if (*word == "--version") {
      invocation.version = true;
    } else if (!takes("--server", invocation.server) && !takes("--exit-code", invocation.exit_code) &&
               !takes("--runtime-directory", invocation.runtime_directory) &&
               !takes("--from", invocation.from) && !takes("--output", invocation.output) &&
               !takes("--command-gets", invocation.command_gets)) {
      throw Failure("unknown option '" + *word + "', or its value is missing; see broodctl --help",
                    outcome::wrong_usage);
    }
  }
  return invocation;
}

}  // namespace brood::ctl
