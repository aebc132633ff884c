// SPDX-License-Identifier: MIT
#include "scoreboard/report/words.hpp"

#include <array>
#include <cstdio>

#include "base/text.hpp"
#include "brood/scoreboard_types.hpp"

namespace brood {

std::string bytes(std::uint64_t count) {
  static constexpr std::array<const char*, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (count < 1024) return text(count, " B");
  auto scaled = static_cast<double>(count) / 1024;
  std::size_t unit = 0;
  for (; scaled >= 1024 && unit + 1 < units.size(); ++unit) scaled /= 1024;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", scaled, units[unit]);
  return buffer.data();
}

std::string percent(double share) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), share < 0.0995 ? "%.1f%%" : "%.0f%%", share * 100);
  return buffer.data();
}

std::string grouped(std::uint64_t count) {
  const std::string digits = text(count);
  std::string all;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) all += ',';
    all += digits[i];
  }
  return all;
}

std::string upper_end(std::chrono::microseconds latency) {
  if (latency.count() >> (latency_buckets - 1) != 0) return "over 3 days";  // the last bucket has no end
  return text("under ", latency);
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return text(count, ' ', noun, count == 1 ? "" : noun == "child" ? "ren" : "s");
}

std::string harmless(std::string_view text) { return escape(text, Keep::ascii); }

}  // namespace brood
