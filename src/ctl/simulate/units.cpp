// SPDX-License-Identifier: MIT
#include "ctl/simulate/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood::ctl {
namespace {

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr std::array<Unit, 5> units = {{{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}}};
constexpr double longest = 24 * 3600;

std::string written(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace

double parse_seconds(std::string_view written) {
  double value = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
  const std::string_view unit_name(end, static_cast<std::size_t>(written.data() + written.size() - end));
  const auto unit = std::ranges::find(units, unit_name, &Unit::name);
  const bool zero = error == std::errc{} && value == 0 && unit_name.empty();
  if (!zero && (error != std::errc{} || unit == units.end() || !(value >= 0)))
    throw ConfigurationError("is not a duration like 200us, 1.5ms, 30s, 5m or 1h");
  const double seconds = zero ? 0 : value * unit->seconds;
  if (seconds > longest) throw ConfigurationError("is above 24h");
  return seconds;
}

SettingType<double> seconds_type() {
  return {.kind = "duration",
          .read = [](const std::string& word) { return parse_seconds(word); },
          .write = [](const double& value) { return written(value) + 's'; }};
}

SettingType<double> share_type() {
  return {.kind = "share",
          .read =
              [](const std::string& word) {
                double percent = 0;
                const char* const end = word.data() + word.size();
                const auto result = std::from_chars(word.data(), end, percent);
                if (result.ec != std::errc{} ||
                    std::string_view(result.ptr, static_cast<std::size_t>(end - result.ptr)) != "%" ||
                    std::isnan(percent) || percent < 0 || percent > 100)
                  throw ConfigurationError("is not a share from 0% to 100%");
                return percent / 100;
              },
          .write = [](const double& value) { return written(value * 100) + '%'; }};
}

}  // namespace brood::ctl
