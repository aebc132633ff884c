// SPDX-License-Identifier: MIT
#include "settings/help.hpp"

#include "base/text.hpp"
#include "base/text/help_text.hpp"
#include "settings/settings_environment.hpp"
#include "settings/settings_printer.hpp"

namespace brood {
namespace {

constexpr std::size_t option_column = 24, setting_column = 6;

std::string with_value(const ProgramOption& option) {
  return text("--", option.name, option.value.empty() ? "" : "=", option.value);
}

void append_setting(std::string& out, const Setting& setting, std::size_t width) {
  append_entry(out, "--" + setting.name, text(setting.help, ' ', allowed_and_default(setting)),
               setting_column, width);
}

}  // namespace

std::string print_help(const Settings& settings, const std::string& program, std::size_t width,
                       const ProgramOptions& options, const std::string& where) {
  std::string out, usage = "usage: " + program;
  for (const auto& option : options) usage += " [" + with_value(option) + ']';
  append_wrapped(out, usage + " [--config=FILE] [--SETTING=VALUE ...]", width, "");
  out += "\nOptions:\n";
  for (const ProgramOptions& some : {general_options(), options})
    for (const auto& option : some)
      append_entry(out, (option.letter.empty() ? "" : '-' + option.letter + ", ") + with_value(option),
                   option.help, option_column, width);

  out += '\n';
  const std::string prefix = variable_prefix(program);
  append_wrapped(
      out,
      text("Settings, on the command line, in the environment as ",
           prefix == "BROOD_" ? "" : prefix + "SETTING or ", "BROOD_SETTING, or as 'name = value' in FILE:"),
      width, "");
  std::string section;
  for (const auto& setting : settings.all()) {
    if (!setting.service.empty()) continue;
    if (setting.section != section) {
      section = setting.section;
      out += "\n " + section + ":\n";
    }
    append_setting(out, setting, width);
  }

  const auto services = services_of(settings);
  if (services.empty()) return out;
  out += '\n';
  append_wrapped(out, text("For a setting of one service: --SERVICE.SETTING, or ", where, ':'), width, "");
  for (const auto& service : services) out += "  " + service + '\n';
  std::string of;
  for (const auto& setting : settings.all()) {
    if (setting.service.empty() || setting.kits) continue;
    if (setting.service != of) {
      of = setting.service;
      out += "\nSettings of service " + of + " alone:\n";
    }
    append_setting(out, setting, width);
  }
  return out;
}

}  // namespace brood
