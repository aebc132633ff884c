// SPDX-License-Identifier: MIT
#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <numeric>
#include <utility>

namespace brood {

void append_text(std::string& out, std::chrono::nanoseconds duration) {
  const auto nanoseconds = static_cast<double>(duration.count());
  if (nanoseconds <= 0) return append_text(out, '0');
  struct Unit {
    const char* name;
    double nanoseconds;
    double end;  // the first value that would need four digits, or is a minute
  };
  constexpr Unit small_units[] = {
      {"ns", 1, 999.5}, {"us", 1e3, 999.5}, {"ms", 1e6, 999.5}, {"s", 1e9, 59.95}};
  for (const auto& [name, size, end] : small_units) {
    if (nanoseconds / size >= end) continue;
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.3g%s", nanoseconds / size, name);
    return append_text(out, std::string_view(buffer));
  }
  constexpr std::pair<char, std::int64_t> units[] = {{'d', 86'400}, {'h', 3600}, {'m', 60}, {'s', 1}};
  const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
  const auto* unit = std::ranges::find_if(units, [&](const auto& each) { return seconds >= each.second; });
  const auto [name, size] = *unit;
  const auto [small_name, small_size] = *std::next(unit);
  append_text(out, seconds / size);
  append_text(out, name);
  const auto rest = seconds % size / small_size;
  if (rest == 0) return;
  if (rest < 10) out += '0';
  append_text(out, rest);
  append_text(out, small_name);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string all;
  for (const auto& part : parts) {
    if (&part != &parts.front()) all += separator;
    all += part;
  }
  return all;
}

std::string what_was_thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

std::string escape(std::string_view text, Keep keep) {
  std::string out;
  out.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 0x20 && byte != 0x7f && (byte < 0x7f || keep == Keep::text)) {
      out += character;
    } else {
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", byte);
      out += hex;
    }
  }
  return out;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto [shorter, longer] = std::minmax({word.size(), candidate.size()});
    if (longer - shorter >= best_distance) continue;  // one edit at least for each character
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : "; did you mean '" + meant + "'?";
}

}  // namespace brood
