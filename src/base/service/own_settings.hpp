// SPDX-License-Identifier: MIT
// The settings "settings...": values that a service's file has for the program that its children run, how the
// program is given them, and which command checks them. Starts nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brood {

enum class GivenAs : std::uint8_t { arguments, environment };

struct OwnSettings {
  std::vector<std::string> values;  // "KEY=VALUE"
  GivenAs given_as = GivenAs::arguments;
  std::string prefix;  // of variables
  std::string check;   // as written; "": the program itself, if it is built with the kit; "none"
  std::vector<std::string> check_words;  // parsed `check`; empty: it names no command
};

std::string_view own_key(std::string_view value);
// Throws ConfigurationError: "has the key …".
void check_own_setting(std::string_view value);
void check_variable_prefix(std::string_view prefix);

// The arguments that the program gets, "--KEY=VALUE", or none.
std::vector<std::string> arguments_of(const OwnSettings& settings);
// The variables that it gets, as "log-level=3" -> "PREFIXLOG_LEVEL=3", or none.
std::vector<std::string> variables_of(const OwnSettings& settings);

}  // namespace brood
