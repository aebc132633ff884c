// SPDX-License-Identifier: MIT
#include "settings/settings_printer.hpp"

#include "base/text.hpp"

namespace brood {
namespace {

// The reverse of SettingsReader: what it prints is read as the same value.
std::string quote(const std::string& value) {
  if (value.find_first_of("#\"\\") == std::string::npos && trim(value) == value) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

void wrap(std::string& out, std::string_view prose) {
  constexpr std::size_t width = 98;
  std::string line = "#";
  for (const auto word : split(prose, ' ')) {
    if (line.size() + 1 + word.size() > width) {
      out += line + '\n';
      line = "#";
    }
    line += ' ';
    line += word;
  }
  out += line + '\n';
}

}  // namespace

std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title) {
  std::string out = "# " + title + "\n";
  std::string section, service;
  for (const auto& setting : settings.all()) {
    if (setting.service != service) {
      service = setting.service;
      section.clear();
      out += "\n[" + service + "]\n";
    }
    const std::string name = setting.name.substr(service.empty() ? 0 : service.size() + 1);
    if (setting.section != section) {
      section = setting.section;
      out += "\n# ---- " + section + "\n";
    }
    out += '\n';
    wrap(out, text(setting.help, " (", setting.kind,
                   setting.applied_on == AppliedOn::restart ? "; changes need a restart" : "", ")"));
    const auto found = given.find(setting.name);
    const bool is_default = found == given.end();
    const auto& values = is_default ? setting.defaults : found->second.values;
    if (values.empty()) out += "# " + name + " =\n";
    for (const auto& value : values) {
      out += name + " =";
      if (!value.empty()) out += ' ' + quote(value);
      if (!is_default) out += "  # " + found->second.where;
      out += '\n';
    }
  }
  return out;
}

}  // namespace brood
