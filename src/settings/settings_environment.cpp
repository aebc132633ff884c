// SPDX-License-Identifier: MIT
#include "settings/settings_environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/service/service_command.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::string_view prefix_of_kit = "BROOD_";

// What the kit itself leaves to other programs, which may be programs of the kit, and what systemd does.
constexpr std::array<std::string_view, 15> no_settings = {
    "BROOD_SERVICE",   "BROOD_LISTENER", "BROOD_SLOT",        "BROOD_CHILD_PID", "BROOD_FAILURES",
    "BROOD_EXIT_CODE", "BROOD_SIGNAL",   "BROOD_SIGNAL_NAME", "BROOD_PARENT",    "BROOD_CHILD",
    "BROOD_UPGRADE",   "LISTEN_FDS",     "LISTEN_PID",        "LISTEN_FDNAMES",  "NOTIFY_SOCKET"};

// "max-clients" and "imap.max-clients" -> "MAX_CLIENTS" and "IMAP_MAX_CLIENTS"
std::string key_of(std::string_view name) {
  std::string key;
  for (const char c : name) {
    if (c >= 'a' && c <= 'z')
      key += static_cast<char>(c - 'a' + 'A');
    else
      key += (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  }
  return key;
}

std::vector<std::string> keys_of(const Settings& settings) {
  std::vector<std::string> keys = names_of(settings);
  for (auto& key : keys) key = key_of(key);
  return keys;
}

std::string place_of(const std::string& variable) { return "environment variable " + variable; }

// An empty list can't be written: as in a file, nothing is one empty value.
std::vector<std::string> values_in(const std::string& variable, const std::string& value, bool list) {
  if (!list) return {value};
  try {
    auto values = split_words(value);
    return values.empty() ? std::vector<std::string>{""} : values;
  } catch (const Error& error) {
    throw ConfigurationError(text(place_of(variable), ": '", value, "' ", std::string_view(error.what())));
  }
}

}  // namespace

std::string variable_prefix(std::string_view program) { return key_of(program) + '_'; }

SettingsEnvironment::SettingsEnvironment(std::string_view program, const Settings& settings,
                                         const Settings& of_services)
    : prefixes_{variable_prefix(program)}, keys_(keys_of(settings)), keys_of_services_(keys_of(of_services)) {
  if (prefixes_.front() != prefix_of_kit) prefixes_.emplace_back(prefix_of_kit);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const auto equals = std::min(variable.find('='), variable.size());
    const std::string name(variable.substr(0, equals));
    const bool is_other = std::ranges::find(no_settings, name) != no_settings.end();
    if (!is_other &&
        std::ranges::any_of(prefixes_, [&](const auto& prefix) { return name.starts_with(prefix); }))
      variables_.try_emplace(name, variable.substr(std::min(equals + 1, variable.size())));
  }
}

GivenSettings SettingsEnvironment::given(const Settings& settings, std::string_view service) const {
  GivenSettings all;
  if (variables_.empty()) return all;
  for (const auto& setting : settings.all())
    for (const auto& prefix : prefixes_) {
      const auto key = key_of(service.empty() ? setting.name : text(service, '.', setting.name));
      const auto found = variables_.find(prefix + key);
      if (found == variables_.end()) continue;
      const auto& [variable, value] = *found;
      auto values = values_in(variable, value, setting.list);
      for (auto& each : values) each = as_kept(setting, each).value;
      // What is added to a list comes before its own values: variables have no order.
      Given& given = all[as_kept(setting, "").name];
      given.values.insert(given.values.begin(), values.begin(), values.end());
      given.where += (given.where.empty() ? "" : ", ") + place_of(variable);
      break;
    }
  return all;
}

bool SettingsEnvironment::is_setting(std::string_view key) const {
  return std::ranges::find(keys_, key) != keys_.end() ||
         std::ranges::any_of(keys_of_services_, [&](const auto& its) { return key.ends_with('_' + its); });
}

std::vector<std::string> SettingsEnvironment::strangers() const {
  std::vector<std::string> messages;
  for (const auto& [variable, value] : variables_) {
    const std::string_view name = variable;
    bool known = false, of_kit = false;
    std::string meant;
    for (const auto& prefix : prefixes_) {
      if (!name.starts_with(prefix)) continue;
      const auto key = name.substr(prefix.size());
      known |= is_setting(key);
      of_kit |= prefix == prefix_of_kit;
      const std::string similar = nearest(key, keys_);
      if (meant.empty() && !similar.empty()) meant = prefix + similar;
    }
    // Variables that begin with the name of the program may belong to somebody else, as SSH_AUTH_SOCK does.
    if (known || (!of_kit && meant.empty())) continue;
    messages.push_back(text(place_of(variable), " is no setting of this server",
                            meant.empty() ? "" : "; did you mean " + meant + "?"));
  }
  return messages;
}

void SettingsEnvironment::leave() const {
  for (const auto& [variable, value] : variables_)
    for (const auto& prefix : prefixes_)
      if (variable.starts_with(prefix) && is_setting(std::string_view(variable).substr(prefix.size())))
        ::unsetenv(variable.c_str());  // NOLINT(concurrency-mt-unsafe): before any thread
}

}  // namespace brood
