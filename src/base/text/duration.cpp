// SPDX-License-Identifier: MIT
#include "base/text/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {

using std::chrono::milliseconds;

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array<Unit, 5> units = {
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

}  // namespace

std::optional<std::uint64_t> parse_digits(std::string_view word) {
  if (word.empty() || !std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return {};
  std::uint64_t value = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), value);
  return result.ec == std::errc::result_out_of_range ? std::numeric_limits<std::uint64_t>::max() : value;
}

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
  const auto scale = static_cast<std::uint64_t>(unit == units.end() ? 1 : unit->milliseconds);
  const auto most = static_cast<std::uint64_t>(highest.count());
  const std::uint64_t value = *count > most / scale ? most + 1 : *count * scale;
  if (value > most) throw ConfigurationError("is above " + write_duration(highest));
  if (value < static_cast<std::uint64_t>(lowest.count()))
    throw ConfigurationError("is below " + write_duration(lowest));
  return milliseconds(value);
}

std::string write_duration(milliseconds duration) {
  if (duration.count() == 0) return "0";
  const auto unit = std::find_if(units.rbegin(), units.rend(),
                                 [&](const Unit& u) { return duration.count() % u.milliseconds == 0; });
  return text(duration.count() / unit->milliseconds, unit->name);
}

}  // namespace brood
