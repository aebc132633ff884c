// SPDX-License-Identifier: MIT
#include "words.hpp"

#include <array>
#include <cstdio>

#include "brood/scoreboard_types.hpp"

namespace brood::ctl {
namespace {

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::string duration(std::chrono::nanoseconds time) {
  using namespace std::chrono;
  const long long seconds = duration_cast<std::chrono::seconds>(time).count();
  if (time.count() <= 0) return "0";
  if (seconds < 1) return print("%lldms", static_cast<long long>(ceil<milliseconds>(time).count()));
  if (seconds < 60)
    return print("%lld.%llds", seconds, static_cast<long long>(time.count() / 100'000'000 % 10));
  if (seconds < 3600) return print("%lldm%02llds", seconds / 60, seconds % 60);
  if (seconds < 86'400) return print("%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
  return print("%lldd%02lldh", seconds / 86'400, seconds / 3600 % 24);
}

std::string bytes(std::uint64_t count) {
  static constexpr std::array<const char*, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (count < 1024) return std::to_string(count) + " B";
  auto scaled = static_cast<double>(count) / 1024;
  std::size_t unit = 0;
  for (; scaled >= 1024 && unit + 1 < units.size(); ++unit) scaled /= 1024;
  return print("%.1f %s", scaled, units[unit]);
}

std::string grouped(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string all;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) all += ',';
    all += digits[i];
  }
  return all;
}

std::string time_taken(std::uint64_t milliseconds) {
  if (milliseconds < 100) return std::to_string(milliseconds) + " ms";
  const std::uint64_t tenths = (milliseconds + 50) / 100;
  return grouped(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

std::string upper_end(std::chrono::microseconds latency) {
  const auto microseconds = static_cast<double>(latency.count());
  if (latency.count() >> (latency_buckets - 1) != 0) return "over 3 days";  // the last bucket has no end
  if (microseconds < 1000) return print("under %.0f us", microseconds);
  if (microseconds < 1e6) return print("under %.3g ms", microseconds / 1000);
  return "under " + duration(latency);
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  const std::string_view ending = count == 1 ? "" : noun == "child" ? "ren" : "s";
  return std::to_string(count) + ' ' + std::string(noun) + std::string(ending);
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte < 0x7f)
      out += character;
    else
      out += print("\\x%02x", static_cast<unsigned>(byte));
  }
  return out;
}

}  // namespace brood::ctl
