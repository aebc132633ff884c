// SPDX-License-Identifier: MIT
// Dates in the format of HTTP: "Sun, 06 Nov 1994 08:49:37 GMT".
#pragma once

#include <array>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace httpd {

class HttpDate {
 public:
  explicit HttpDate(std::time_t time);
  operator std::string_view() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 29> text_;
};

// The current one. Each thread formats it once a second.
std::string_view http_date_now();

// Reads the two obsolete formats as well. Empty: the text is no date.
std::optional<std::time_t> parse_http_date(const std::string& text);

}  // namespace httpd
