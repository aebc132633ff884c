// SPDX-License-Identifier: MIT
#include "settings/settings_printer.hpp"

#include "base/text.hpp"
#include "base/text/help_text.hpp"

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

// "": a reload applies a change.
std::string_view what_applies(AppliedOn applied_on) {
  switch (applied_on) {
    case AppliedOn::reload:
      return "";
    case AppliedOn::service_restart:
      return "a restart of the service";
    case AppliedOn::restart:
      return "a restart";
  }
  return "";
}

std::string needs(const Setting& setting, std::string_view verb) {
  const auto what = what_applies(setting.applied_on);
  return what.empty() ? "" : text("; ", verb, ' ', what);
}

}  // namespace

std::string allowed_and_default(const Setting& setting) {
  const std::string defaults = join(setting.defaults, " ");
  return text('(', setting.kind, "; default: ", defaults.empty() ? "empty" : defaults,
              needs(setting, "needs"), ')');
}

std::string print_settings(const Settings& settings, const GivenSettings& given, const std::string& title) {
  constexpr std::size_t width = 98;
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
    append_wrapped(out, text(setting.help, " (", setting.kind, needs(setting, "changes need"), ")"), width,
                   "# ");
    const auto found = given.find(setting.name);
    const bool is_default = found == given.end();
    const auto& values = is_default ? setting.defaults : found->second.values;
    if (values.empty()) out += "# " + name + " =\n";
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto [its_name, value] = as_in_file(settings, setting, values[i]);
      out += its_name.substr(setting.name.size() - name.size()) + " =";
      if (!value.empty()) out += ' ' + quote(value);
      if (!is_default) out += "  # " + found->second.where_of(i);
      out += '\n';
    }
  }
  return out;
}

}  // namespace brood
