// SPDX-License-Identifier: MIT
#include "head.hpp"

#include <array>
#include <charconv>

namespace httpd {

Head::Head(std::string& out, Status status) : out_(out) {
  out_.append("HTTP/1.1 ").append(status_line(status)).append("\r\n");
}

Head& Head::field(std::string_view name, std::string_view value) {
  out_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

Head& Head::field(std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): what is used is written
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return field(name, std::string_view(digits.data(), end));
}

Head& Head::line(std::string_view field) {
  out_.append(field);
  return *this;
}

void Head::end(bool keep_alive) {
  field("Connection", keep_alive ? "keep-alive" : "close");
  out_.append("\r\n");
}

}  // namespace httpd
