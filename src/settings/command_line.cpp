// SPDX-License-Identifier: MIT
#include "settings/command_line.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace po = boost::program_options;
namespace {

constexpr const char* command_line_where = "command line";

enum class Names { all, shared };

po::options_description describe(const Settings& settings, Names names, const ProgramOptions& options) {
  po::options_description general("Options");
  general.add_options()                                                                      //
      ("help,h", "print this and exit")                                                      //
      ("config,c", po::value<std::string>()->value_name("FILE"), "read settings from FILE")  //
      ("test-config", "check the settings, print the mistakes, and exit")                    //
      ("print-config", "print all settings and where their values were set, and exit");
  for (const auto& option : options) {
    if (option.value.empty())
      general.add_options()(option.name.c_str(), option.help.c_str());
    else
      general.add_options()(option.name.c_str(), po::value<std::string>()->value_name(option.value),
                            option.help.c_str());
  }
  po::options_description own("Settings, on the command line or as 'name = value' in FILE");
  for (const auto& setting : settings.all()) {
    if (names == Names::shared && !setting.service.empty()) continue;
    auto* value = po::value<std::string>()->value_name(setting.kind);
    if (setting.flag) value->implicit_value("yes", "yes");
    own.add_options()(setting.name.c_str(), value, setting.help.c_str());
  }
  return general.add(own);
}

}  // namespace

CommandLine parse_command_line(const Settings& settings, std::span<const char* const> arguments,
                               const ProgramOptions& options) {
  std::vector<std::string> words;
  for (const std::string_view word : arguments) {
    // An empty value. Boost refuses "--name=", but takes it as two words.
    const bool empty_value = word.starts_with("--") && word.ends_with('=');
    words.emplace_back(empty_value ? word.substr(0, word.size() - 1) : word);
    if (empty_value) words.emplace_back();
  }
  const po::options_description description = describe(settings, Names::all, options);
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
  known.insert(known.end(), {"help", "config", "test-config", "print-config"});
  for (const auto& option : options) known.push_back(option.name);

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
      line.test_config |= name == "test-config";
      line.print_config |= name == "print-config";
      if (name == "config") line.config = value;
    } else {
      Given& given = line.settings[name];
      if (!setting->list && !given.values.empty())
        errors.push_back(text(command_line_where, ": --", name, " is given twice"));
      given.values.push_back(value);
      given.where = command_line_where;
    }
  }
  if (!errors.empty()) throw ConfigurationError(join(errors));
  return line;
}

std::string print_help(const Settings& settings, const std::string& program, const ProgramOptions& options,
                       const std::string& where) {
  std::ostringstream out;
  out << "usage: " << program;
  for (const auto& option : options)
    out << " [--" << option.name << (option.value.empty() ? "" : "=") << option.value << ']';
  out << " [--config=FILE] [--SETTING=VALUE ...]\n\n" << describe(settings, Names::shared, options);
  const auto services = services_of(settings);
  if (!services.empty()) out << "\nFor a setting of one service: --SERVICE.SETTING, or " << where << ":\n";
  for (const auto& service : services) out << "  " << service << '\n';
  return out.str();
}

}  // namespace brood
