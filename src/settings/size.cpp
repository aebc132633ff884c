// SPDX-License-Identifier: MIT
#include "settings/size.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

struct SizeUnit {
  std::string_view name;
  unsigned shift;
};
constexpr std::array<SizeUnit, 5> size_units = {{{"", 0}, {"K", 10}, {"M", 20}, {"G", 30}, {"T", 40}}};

}  // namespace

std::uint64_t parse_size(std::string_view word, std::uint64_t lowest, std::uint64_t highest) {
  const auto unit_at = std::min(word.find_first_not_of("0123456789"), word.size());
  const auto count = parse_digits(word.substr(0, unit_at));
  if (!count) throw ConfigurationError("is not a size like 4096, 64K, 10M or 1G");
  const auto unit_name = word.substr(unit_at);
  const auto* unit = std::ranges::find(size_units, unit_name, &SizeUnit::name);
  if (unit == size_units.end())
    throw ConfigurationError(text("has the unknown unit '", unit_name, "'; known are K, M, G, T"));
  if (*count > highest >> unit->shift) throw ConfigurationError("is above " + write_size(highest));
  const std::uint64_t value = *count << unit->shift;
  if (value < lowest) throw ConfigurationError("is below " + write_size(lowest));
  return value;
}

std::string write_size(std::uint64_t bytes) {
  const auto is_whole = [bytes](const SizeUnit& unit) {
    return bytes != 0 && bytes % (std::uint64_t{1} << unit.shift) == 0;
  };
  const auto unit = std::find_if(size_units.rbegin(), size_units.rend(), is_whole);
  return unit == size_units.rend() ? "0" : text(bytes >> unit->shift, unit->name);
}

}  // namespace brood
