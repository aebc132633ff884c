// SPDX-License-Identifier: MIT
// Settings in the environment: the layer between the file and the command line. NAME_MAX_CLIENTS is the
// setting max-clients of the program `name`, BROOD_MAX_CLIENTS that of every program of the kit, and
// NAME_IMAP_MAX_CLIENTS that of its service imap. Parent only.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "settings/settings_reader.hpp"

namespace brood {

// "my-echo" -> "MY_ECHO_"
std::string variable_prefix(std::string_view program);

class SettingsEnvironment {
 public:
  SettingsEnvironment() = default;
  // Takes what this process has, which does not change any more. `of_services`: settings that a service of
  // any name may have.
  SettingsEnvironment(std::string_view program, const Settings& settings, const Settings& of_services = {});

  // The values of these settings. `service`: they are those of this service. Throws ConfigurationError if the
  // values of a list can't be told from each other.
  GivenSettings given(const Settings& settings, std::string_view service = "") const;

  // A message for each variable that looks like a setting and is none.
  std::vector<std::string> strangers() const;
  // In a child: removes the settings from the environment of this process. What the child runs might be a
  // program of the kit, too, and has settings of its own.
  void leave() const;

 private:
  // Without its prefix: "MAX_CLIENTS".
  bool is_setting(std::string_view key) const;

  std::vector<std::string> prefixes_;             // "NAME_", "BROOD_": the first one wins
  std::map<std::string, std::string> variables_;  // that begin with one of them
  std::vector<std::string> keys_, keys_of_services_;
};

}  // namespace brood
