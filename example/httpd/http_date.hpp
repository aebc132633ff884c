// SPDX-License-Identifier: MIT
// Points in time as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT".
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

// That of now, which is made once a second in each thread.
std::string_view http_date_now();

// Also in the two forms of old. Empty: it is none of them.
std::optional<std::time_t> parse_http_date(const std::string& text);

}  // namespace httpd
