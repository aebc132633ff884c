// SPDX-License-Identifier: MIT
#include "base/service/own_settings.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view others = "0123456789-.";

char in_variable(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  return c == '-' || c == '.' ? '_' : c;
}

}  // namespace

std::string_view own_key(std::string_view value) { return value.substr(0, value.find('=')); }

void check_own_setting(std::string_view value) {
  if (value.find('=') == std::string_view::npos) throw ConfigurationError("is not KEY=VALUE");
  const std::string_view key = own_key(value);
  const std::string allowed = text(letters, others);
  if (key.find_first_of(letters) != 0 || key.find_first_not_of(allowed) != std::string_view::npos)
    throw ConfigurationError(text("has the key '", escape(key),
                                  "', which is not a letter and then letters, digits, '-', '_' and '.'"));
}

void check_variable_prefix(std::string_view prefix) {
  if (prefix.empty()) return;
  if (prefix.find_first_of(letters) != 0 ||
      prefix.find_first_not_of(text(letters, "0123456789")) != std::string_view::npos)
    throw ConfigurationError("is no beginning of the name of a variable");
}

std::vector<std::string> arguments_of(const OwnSettings& settings) {
  std::vector<std::string> all;
  if (settings.given_as == GivenAs::arguments)
    for (const auto& value : settings.values) all.push_back("--" + value);
  return all;
}

std::vector<std::string> variables_of(const OwnSettings& settings) {
  std::vector<std::string> all;
  if (settings.given_as != GivenAs::environment) return all;
  for (const auto& value : settings.values) {
    std::string variable = settings.prefix;
    for (const char c : own_key(value)) variable += in_variable(c);
    all.push_back(variable.append(value, own_key(value).size()));
  }
  return all;
}

}  // namespace brood
