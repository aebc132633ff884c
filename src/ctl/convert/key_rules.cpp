// SPDX-License-Identifier: MIT
#include "ctl/convert/key_rules.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace brood::ctl {
namespace {

bool is_neutral(const KeyRule& rule, const std::string& value) {
  static constexpr std::array<std::string_view, 8> always = {"", "-", "0", "no", "n", "off", "false", "none"};
  return std::ranges::find(always, value) != always.end() || (!rule.neutral.empty() && value == rule.neutral);
}

}  // namespace

const KeyRule* find_rule(std::span<const KeyRule> rules, std::string_view key) {
  const auto found = std::ranges::find(rules, key, &KeyRule::key);
  return found == rules.end() ? nullptr : &*found;
}

std::string as_duration(std::string_view written) {
  if (const auto seconds = parse_number<std::uint32_t>(written))
    return *seconds == 0 ? "0" : text(*seconds, 's');
  if (written.empty()) return "";
  const char unit = written.back();
  const auto number = parse_number<std::uint32_t>(written.substr(0, written.size() - 1));
  if (!number || std::string_view("smhdw").find(unit) == std::string_view::npos) return "";
  if (*number == 0) return "0";
  return unit == 'w' ? text(std::uint64_t{*number} * 7, 'd') : text(*number, unit);
}

bool apply(const KeyRule& rule, const KeyValue& given, Draft& draft) {
  const std::string& value = given.value;
  switch (rule.form) {
    case KeyForm::as_written:
      if (!value.empty() && value != "-") draft.set(std::string(rule.setting), value);
      return true;
    case KeyForm::count:
      if (!parse_number<std::uint32_t>(value)) return false;
      draft.set(std::string(rule.setting), value);
      return true;
    case KeyForm::seconds:
      if (as_duration(value).empty()) return false;
      draft.set(std::string(rule.setting), as_duration(value));
      return true;
    case KeyForm::bytes:
      if (!parse_number<std::int64_t>(value)) return false;
      draft.set(std::string(rule.setting), value.starts_with('-') ? "unlimited" : value);
      return true;
    case KeyForm::nothing:
      draft.skip(given.key, value, std::string(rule.why));
      return true;
    case KeyForm::lost:
      if (!is_neutral(rule, value)) draft.lose(given.key, value, std::string(rule.why));
      return true;
    case KeyForm::used:
      return true;
  }
  return true;
}

}  // namespace brood::ctl
