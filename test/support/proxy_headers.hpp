// SPDX-License-Identifier: MIT
// Headers of the PROXY protocol, as a balancer sends them.
#pragma once

#include <string>

namespace brood::test {

inline const std::string proxy_line = "PROXY TCP4 203.0.113.7 198.51.100.1 4711 80\r\n";

inline std::string proxy_field(unsigned char type, const std::string& value) {
  return std::string(1, static_cast<char>(type)) + static_cast<char>(value.size() >> 8U) +
         static_cast<char>(value.size()) + value;
}

// Of version 2, with this command, family and what follows them.
inline std::string proxy_block(char command, char family, const std::string& rest) {
  using namespace std::string_literals;
  return "\r\n\r\n\0\r\nQUIT\n"s + command + family + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size()) + rest;
}

// From 203.0.113.7:4711 to 198.51.100.1:80, as `proxy_line`.
inline std::string proxy_tcp4(const std::string& fields = "") {
  using namespace std::string_literals;
  return proxy_block('\x21', '\x11', "\xcb\x00\x71\x07\xc6\x33\x64\x01\x12\x67\x00\x50"s + fields);
}

inline std::string proxy_local() { return proxy_block('\x20', '\0', ""); }

}  // namespace brood::test
