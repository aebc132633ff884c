// SPDX-License-Identifier: MIT
#include "byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace httpd {
namespace {

// Empty: not digits alone, or too many of them.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return {};
  return number;
}

}  // namespace

std::optional<ByteRange> parse_range(std::string_view text, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  const auto dash = text.find('-');
  if (!text.starts_with(unit) || dash == std::string_view::npos) return {};
  const std::string_view from = text.substr(unit.size(), dash - unit.size());
  const std::string_view to = text.substr(dash + 1);
  const auto last = parse_number(to);
  if (!to.empty() && !last) return {};
  if (from.empty()) {  // the last bytes of the file
    if (!last) return {};
    const std::uint64_t length = std::min(*last, size);
    return ByteRange{.first = size - length, .size = length};
  }
  const auto first = parse_number(from);
  if (!first || (last && *last < *first)) return {};
  if (*first >= size) return ByteRange{};
  return ByteRange{.first = *first, .size = std::min(last.value_or(size), size - 1) - *first + 1};
}

}  // namespace httpd
