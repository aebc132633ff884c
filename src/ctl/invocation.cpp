// SPDX-License-Identifier: MIT
#include "invocation.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "locate.hpp"

namespace brood::ctl {
namespace {

struct OptionOf {
  std::string_view command, name;
  bool has_value;
};
constexpr std::array options = {
    OptionOf{"top", "--once", false},          OptionOf{"top", "--interval", true},
    OptionOf{"top", "--color", true},          OptionOf{"advise", "--wait", true},
    OptionOf{"advise", "--within", true},      OptionOf{"advise", "--for", true},
    OptionOf{"advise", "--max-clients", true},
};

}  // namespace

std::string Invocation::option(const std::string& name) const {
  const auto found = of_one_command.find(name);
  return found == of_one_command.end() ? "" : found->second;
}

void check_options(const Invocation& invocation) {
  for (const auto& [command, name, has_value] : options)
    if (command != invocation.command && invocation.has(std::string(name)))
      throw Failure(std::string(name) + " is an option of " + std::string(command), outcome::wrong_usage);
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
