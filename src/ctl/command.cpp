// SPDX-License-Identifier: MIT
#include "command.hpp"

#include <iterator>

#include "locate.hpp"

namespace brood::ctl {

Command parse_command(const std::vector<std::string>& words) {
  Command command;
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
      (command.verb.empty() ? command.verb : command.arguments.emplace_back()) = *word;
    } else if (*word == "--") {
      only_arguments = true;
    } else if (*word == "--json") {
      command.json = true;
    } else if (*word == "--now") {
      command.now = true;
    } else if (*word == "--help" || *word == "-h") {
      command.help = true;
    } else if (!takes("--server", command.server) &&
               !takes("--runtime-directory", command.runtime_directory)) {
      throw Failure("unknown option '" + *word + "', or it lacks its value; broodctl --help tells",
                    wrong_usage);
    }
  }
  return command;
}

}  // namespace brood::ctl
