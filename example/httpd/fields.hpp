// SPDX-License-Identifier: MIT
// The texts in fields of requests and answers: dates, versions of a file, ranges (RFC 9110, 5.6.7, 13, 14).
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>

#include "request.hpp"

namespace httpd {

// "Sun, 06 Nov 1994 08:49:37 GMT". Not by gmtime_r(): it takes a lock that all threads share.
inline std::string http_date(std::time_t time) {
  using namespace std::chrono;
  constexpr std::array day_names = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array month_names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds at{seconds(time)};
  const auto midnight = floor<days>(at);
  const year_month_day date(midnight);
  const hh_mm_ss clock(at - midnight);
  const auto two = [](long number) {
    return std::string{static_cast<char>('0' + number / 10 % 10), static_cast<char>('0' + number % 10)};
  };
  const int year = static_cast<int>(date.year());
  return std::string(day_names[weekday(midnight).c_encoding()]) + ", " +
         two(static_cast<unsigned>(date.day())) + " " + month_names[static_cast<unsigned>(date.month()) - 1] +
         " " + two(year / 100) + two(year % 100) + " " + two(clock.hours().count()) + ":" +
         two(clock.minutes().count()) + ":" + two(clock.seconds().count()) + " GMT";
}

// Reads the two obsolete formats as well. Empty: the text is no date.
inline std::optional<std::time_t> parse_http_date(const std::string& text) {
  if (text.empty()) return {};
  for (const char* const form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm time{};
    const char* const end = ::strptime(text.c_str(), form, &time);
    if (end != nullptr && *end == '\0') return ::timegm(&time);
  }
  return {};
}

// Differs between two contents of a file.
struct Version {
  std::string tag;  // with its quotes
  std::time_t modified = 0;
};

// Whether a list of tags has this one. `weakly`: W/"x" matches "x". What is no list of tags has none.
inline bool has_tag(std::string_view list, std::string_view tag, bool weakly) {
  const auto trim = [&] { list.remove_prefix(std::min(list.find_first_not_of(" \t,"), list.size())); };
  for (trim(); !list.empty(); trim()) {
    if (list.front() == '*') return true;
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    const auto end = list.find('"', 1);
    if (list.front() != '"' || end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == tag && (weakly || !weak)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

// What the conditions of a request make of it: `ok`, `not_modified` or `precondition_failed`.
inline http::status judge(const Request& request, const Version& version) {
  const auto since = [&](http::field name) { return parse_http_date(std::string(view(request[name]))); };
  const auto match = all_of(request, http::field::if_match);
  const auto unmodified = since(http::field::if_unmodified_since);
  if (match.empty() ? unmodified && version.modified > *unmodified : !has_tag(match, version.tag, false))
    return http::status::precondition_failed;
  const auto none_match = all_of(request, http::field::if_none_match);
  const auto modified = since(http::field::if_modified_since);
  if (none_match.empty() ? modified && version.modified <= *modified : has_tag(none_match, version.tag, true))
    return http::status::not_modified;
  return http::status::ok;
}

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  // 0: the file has no such bytes
};

// The bytes of a file of `size` bytes that a field Range names. Empty: the whole file; also if the text is
// not understood or names several ranges, which HTTP leaves to the server.
inline std::optional<ByteRange> parse_range(std::string_view text, std::uint64_t size) {
  constexpr std::size_t unit = 6;
  const auto dash = text.find('-');
  if (!iequals({text.data(), std::min(unit, text.size())}, "bytes=") || dash == std::string_view::npos)
    return {};
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc{} && end == digits.data() + digits.size() ? std::optional(value) : std::nullopt;
  };
  const auto from = text.substr(unit, dash - unit);
  const auto to = text.substr(dash + 1);
  const auto first = number(from);
  const auto last = number(to);
  if ((!from.empty() && !first) || (!to.empty() && !last) || (first && last && *last < *first)) return {};
  if (!first && !last) return {};
  if (!first) return ByteRange{.first = size - std::min(*last, size), .size = std::min(*last, size)};
  if (*first >= size) return ByteRange{};
  return ByteRange{.first = *first, .size = std::min(last.value_or(size), size - 1) - *first + 1};
}

// The range that a request wants, if the file is still the one of which it wants it.
inline std::optional<ByteRange> wanted_range(const Request& request, const Version& version,
                                             std::uint64_t size) {
  const std::string condition(view(request[http::field::if_range]));
  const bool fits =
      condition.empty() || condition == version.tag || parse_http_date(condition) == version.modified;
  if (request.method() != http::verb::get || !fits) return {};
  return parse_range(all_of(request, http::field::range), size);
}

}  // namespace httpd
