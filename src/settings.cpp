// SPDX-License-Identifier: MIT
#include "brood/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "brood/error.hpp"
#include "text.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;
using Values = std::vector<std::string>;

// All of `word` as a number without sign. Empty: not digits alone; beyond 64 bits it is the highest there is,
// which every bound refuses.
std::optional<std::uint64_t> parse_digits(std::string_view word) {
  if (word.empty() || !std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  std::uint64_t value = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
  return result.ec == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

bool parse_flag(const std::string& word) {
  for (const char* yes : {"yes", "true", "on", "1"})
    if (word == yes) return true;
  for (const char* no : {"no", "false", "off", "0"})
    if (word == no) return false;
  throw ConfigurationError("is neither yes nor no");
}

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::array<Unit, 5> units = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

milliseconds parse_duration(std::string_view word, milliseconds lowest, milliseconds highest) {
  const auto unit_at = std::min(word.find_first_not_of("0123456789"), word.size());
  const auto count = parse_digits(word.substr(0, unit_at));
  if (!count) throw ConfigurationError("is not a duration like 250ms, 30s, 5m or 1h");
  const auto unit_name = word.substr(unit_at);
  const auto* unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == unit_name; });
  if (unit == units.end() && (*count != 0 || !unit_name.empty()))
    throw ConfigurationError(unit_name.empty()
                                 ? "needs a unit: ms, s, m, h or d"
                                 : text("has the unknown unit '", unit_name, "'; known are ms, s, m, h, d"));
  const std::uint64_t scale = unit == units.end() ? 1 : unit->milliseconds;
  const auto most = static_cast<std::uint64_t>(highest.count());
  const std::uint64_t value = *count > most / scale ? most + 1 : *count * scale;
  if (value > most) throw ConfigurationError(text("is above ", highest));
  if (value < static_cast<std::uint64_t>(lowest.count())) throw ConfigurationError(text("is below ", lowest));
  return milliseconds(value);
}

}  // namespace

const Setting* Settings::find(std::string_view name) const {
  const auto found =
      std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) { return s.name == name; });
  return found == settings_.end() ? nullptr : &*found;
}

Setting& Settings::add(Setting setting) {
  setting.service = service_;
  setting.kits = kits_;
  if (!service_.empty()) setting.name = service_ + '.' + setting.name;
  if (find(setting.name) != nullptr) throw Error("setting " + setting.name + " is defined twice");
  setting.section = section_;
  settings_.push_back(std::move(setting));
  return settings_.back();
}

Setting& Settings::text(std::string name, std::string& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "text",
              .help = std::move(help),
              .defaults = {target},
              .parse = [&target](const Values& values) {
                return [&target, value = values.front()] { target = value; };
              }});
}

Setting& Settings::choice(std::string name, std::string& target, std::vector<std::string> choices,
                          std::string help) {
  std::string kind;
  for (const auto& one : choices)
    kind += (kind.empty() ? "" : (&one == &choices.back() ? " or " : ", ")) + one;
  return add({.name = std::move(name),
              .kind = kind,
              .help = std::move(help),
              .defaults = {target},
              .parse = [&target, choices = std::move(choices), kind](const Values& values) {
                const std::string& value = values.front();
                if (std::find(choices.begin(), choices.end(), value) == choices.end())
                  throw ConfigurationError("is not one of " + kind);
                return [&target, value] { target = value; };
              }});
}

Setting& Settings::flag(std::string name, bool& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "yes or no",
              .help = std::move(help),
              .defaults = {target ? "yes" : "no"},
              .flag = true,
              .parse = [&target](const Values& values) {
                return [&target, value = parse_flag(values.front())] { target = value; };
              }});
}

Setting& Settings::number(std::string name, unsigned& target, unsigned lowest, unsigned highest,
                          std::string help) {
  return add({.name = std::move(name),
              .kind = brood::text("number from ", lowest, " to ", highest),
              .help = std::move(help),
              .defaults = {brood::text(target)},
              .parse = [&target, lowest, highest](const Values& values) {
                const auto value = parse_digits(values.front());
                if (!value) throw ConfigurationError("is not a number without sign");
                if (*value < lowest) throw ConfigurationError(brood::text("is below ", lowest));
                if (*value > highest) throw ConfigurationError(brood::text("is above ", highest));
                return [&target, value = static_cast<unsigned>(*value)] { target = value; };
              }});
}

Setting& Settings::duration(std::string name, milliseconds& target, milliseconds lowest, milliseconds highest,
                            std::string help) {
  return add({.name = std::move(name),
              .kind = "duration",
              .help = std::move(help),
              .defaults = {brood::text(target)},
              .parse = [&target, lowest, highest](const Values& values) {
                return [&target, value = parse_duration(values.front(), lowest, highest)] { target = value; };
              }});
}

Setting& Settings::list(std::string name, std::vector<std::string>& target, std::string help) {
  return add({.name = std::move(name),
              .kind = "text, any number of times",
              .help = std::move(help),
              .defaults = target,
              .list = true,
              .parse = [&target](const Values& values) { return [&target, values] { target = values; }; }});
}

}  // namespace brood
