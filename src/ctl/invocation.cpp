// SPDX-License-Identifier: MIT
#include "invocation.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "base/text.hpp"
#include "locate.hpp"

namespace brood::ctl {
namespace {

struct OptionOf {
  std::string_view command, name;
  bool has_value;
};
constexpr std::array options = {
    OptionOf{"top", "--once", false},
    OptionOf{"top", "--interval", true},
    OptionOf{"top", "--color", true},
    OptionOf{"advise", "--wait", true},
    OptionOf{"advise", "--within", true},
    OptionOf{"advise", "--for", true},
    OptionOf{"advise", "--max-clients", true},
    OptionOf{"simulate", "--load", true},
    OptionOf{"simulate", "--arrivals", true},
    OptionOf{"simulate", "--service-time", true},
    OptionOf{"simulate", "--variability", true},
    OptionOf{"simulate", "--config", true},
    OptionOf{"simulate", "--start-servers", true},
    OptionOf{"simulate", "--min-spare-servers", true},
    OptionOf{"simulate", "--max-spare-servers", true},
    OptionOf{"simulate", "--max-clients", true},
    OptionOf{"simulate", "--max-requests-per-child", true},
    OptionOf{"simulate", "--max-lifetime-per-child", true},
    OptionOf{"simulate", "--idle-timeout", true},
    OptionOf{"simulate", "--listen-backlog", true},
    OptionOf{"simulate", "--start-time", true},
    OptionOf{"simulate", "--fork-time", true},
    OptionOf{"simulate", "--failing-starts", true},
    OptionOf{"simulate", "--crashes", true},
    OptionOf{"simulate", "--processors", true},
    OptionOf{"simulate", "--computes", true},
    OptionOf{"simulate", "--memory-per-child", true},
    OptionOf{"simulate", "--step", true},
    OptionOf{"simulate", "--seed", true},
    OptionOf{"simulate", "--svg", true},
};

}  // namespace

std::string Invocation::option(const std::string& name) const {
  const auto found = of_one_command.find(name);
  return found == of_one_command.end() ? "" : found->second;
}

void check_options(const Invocation& invocation) {
  for (const auto& [name, value] : invocation.of_one_command) {
    std::vector<std::string> commands;
    for (const auto& option : options)
      if (option.name == name) commands.emplace_back(option.command);
    if (std::ranges::find(commands, invocation.command) == commands.end())
      throw Failure(name + " is an option of " + join(commands, " and "), outcome::wrong_usage);
  }
}

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
    const auto takes_option = [&](const std::string& given) {
      return std::ranges::any_of(options, [&](const OptionOf& option) {
        const std::string name(option.name);
        if (!option.has_value && given != name) return false;
        std::string value;
        if (option.has_value && !takes(name, value)) return false;
        invocation.of_one_command[name] = value;
        return true;
      });
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
    } else if (takes_option(*word)) {
      // It is kept.
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
