// SPDX-License-Identifier: MIT
#include "http_date.hpp"

#include <chrono>

namespace httpd {
namespace {

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

}  // namespace

// Not by gmtime_r(): it takes a lock that all threads share.
HttpDate::HttpDate(std::time_t time) : text_() {
  using namespace std::chrono;
  const sys_seconds at{seconds(time)};
  const auto midnight = floor<std::chrono::days>(at);
  const year_month_day date(midnight);
  const hh_mm_ss clock(at - midnight);
  std::string_view("Sun, 00 Jan 0000 00:00:00 GMT").copy(text_.data(), text_.size());
  const auto put = [this](std::size_t position, long number) {
    text_[position] = static_cast<char>('0' + number / 10 % 10);
    text_[position + 1] = static_cast<char>('0' + number % 10);
  };
  httpd::days.copy(text_.data(), 3, std::size_t{3} * weekday(midnight).c_encoding());
  put(5, static_cast<long>(static_cast<unsigned>(date.day())));
  httpd::months.copy(&text_[8], 3, std::size_t{3} * (static_cast<unsigned>(date.month()) - 1));
  put(12, static_cast<int>(date.year()) / 100);
  put(14, static_cast<int>(date.year()) % 100);
  put(17, clock.hours().count());
  put(20, clock.minutes().count());
  put(23, clock.seconds().count());
}

std::string_view http_date_now() {
  thread_local std::time_t second = 0;
  thread_local HttpDate date(0);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second) date = HttpDate(second = now.tv_sec);
  return date;
}

std::optional<std::time_t> parse_http_date(const std::string& text) {
  for (const char* const form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm time{};
    const char* const end = ::strptime(text.c_str(), form, &time);
    if (end != nullptr && *end == '\0') return ::timegm(&time);
  }
  return {};
}

}  // namespace httpd
