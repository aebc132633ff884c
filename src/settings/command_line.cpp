// SPDX-License-Identifier: MIT
#include "settings/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace po = boost::program_options;
namespace {

constexpr const char* command_line_where = "command line";

po::options_description describe(const Settings& settings, const ProgramOptions& options) {
  po::options_description all;
  for (const ProgramOptions& some : {general_options(), options})
    for (const auto& option : some) {
      const std::string name = option.name + (option.letter.empty() ? "" : ',' + option.letter);
      if (option.value.empty())
        all.add_options()(name.c_str(), "");
      else
        all.add_options()(name.c_str(), po::value<std::string>());
    }
  for (const auto& setting : settings.all()) {
    auto* value = po::value<std::string>();
    if (setting.flag) value->implicit_value("yes", "yes");
    all.add_options()(setting.name.c_str(), value);
  }
  return all;
}

}  // namespace

const ProgramOptions& general_options() {
  static const ProgramOptions all = {
      {"help", "", "print this and exit", "h"},
      {"config", "FILE", "read settings from FILE", "c"},
      {"test-config", "", "check the settings, print the mistakes, and exit"},
      {"print-config", "", "print all settings and where their values were set, and exit"},
      {"version", "", "print the version of this program, and exit"}};
  return all;
}

CommandLine parse_command_line(const Settings& settings, std::span<const char* const> arguments,
                               const ProgramOptions& options) {
  std::vector<std::string> words;
  for (const std::string_view word : arguments) {
    // An empty value. Boost refuses "--name=", but takes it as two words.
    const bool empty_value = word.starts_with("--") && word.find('=') == word.size() - 1;
    words.emplace_back(empty_value ? word.substr(0, word.size() - 1) : word);
    if (empty_value) words.emplace_back();
  }
  const po::options_description description = describe(settings, options);
  namespace style = po::command_line_style;
  po::parsed_options parsed(&description);
  try {
    parsed = po::command_line_parser(words)
                 .options(description)
                 .style(style::unix_style & ~style::allow_guessing)
                 .allow_unregistered()
                 .run();
  } catch (const po::error& error) {
    throw ConfigurationError(text(command_line_where, ": ", error.what()));
  }
  auto known = names_of(settings);
  for (const ProgramOptions& some : {general_options(), options})
    for (const auto& option : some) known.push_back(option.name);

  CommandLine line;
  std::vector<std::string> errors;
  for (const auto& option : parsed.options) {
    const std::string& name = option.string_key;
    const Setting* setting = settings.find(name);
    const bool alone = option.value.empty();  // "--daemonize"
    const std::string value = !alone                                ? option.value.front()
                              : setting != nullptr && setting->flag ? "yes"
                                                                    : "";
    if (option.position_key >= 0 || name.empty()) {
      errors.push_back(text(command_line_where, ": '", value, "' is not an option"));
    } else if (option.unregistered) {
      errors.push_back(text(command_line_where, ": ", unknown("option", name, known)));
    } else if (setting == nullptr) {
      if (std::ranges::any_of(options, [&](const ProgramOption& own) { return own.name == name; }))
        line.options[name] = value;
      line.help |= name == "help";
      line.version |= name == "version";
      line.test_config |= name == "test-config";
      line.print_config |= name == "print-config";
      if (name == "config") line.config = value;
    } else {
      const auto [home, kept] = as_kept(*setting, value);
      Given& given = line.settings[home];
      if (!setting->list && !given.values.empty())
        errors.push_back(text(command_line_where, ": --", name, " is given twice"));
      given.values.push_back(kept);
      given.where = command_line_where;
    }
  }
  if (!errors.empty()) throw ConfigurationError(join(errors));
  return line;
}

}  // namespace brood
