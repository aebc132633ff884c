// SPDX-License-Identifier: MIT
#include "target.hpp"

#include <algorithm>
#include <cctype>

#include "status.hpp"

namespace httpd {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

int hex_value(char c) {
  const auto at = digits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// "http://HOST/path" to "/path".
std::string_view without_host(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    const bool fits = target.size() > scheme.size() &&
                      std::equal(scheme.begin(), scheme.end(), target.begin(), [](char a, char b) {
                        return a == std::tolower(static_cast<unsigned char>(b));
                      });
    if (!fits) continue;
    target.remove_prefix(scheme.size());
    const auto path = std::min(target.find_first_of("/?"), target.size());
    if (path == 0) break;  // no host
    target.remove_prefix(path);
    return target.starts_with('/') ? target : "/";
  }
  throw Refusal{Status::bad_request, {}};
}

std::string decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
    const int low = high < 0 ? -1 : hex_value(text[at + 2]);
    if (low < 0 || high + low == 0) throw Refusal{Status::bad_request, {}};  // no such byte, or NUL
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return out;
}

}  // namespace

Target parse_target(std::string_view target) {
  if (!target.starts_with('/')) target = without_host(target);
  if (target.find('#') != std::string_view::npos) throw Refusal{Status::bad_request, {}};
  Target out{.path = decoded(target.substr(0, target.find('?')))};
  std::string& path = out.path;
  path.erase(std::unique(path.begin(), path.end(), [](char a, char b) { return a == '/' && b == '/'; }),
             path.end());
  if (path.find("/.") != std::string::npos) throw Refusal{Status::not_found, {}};
  out.is_folder = path.ends_with('/');
  path.erase(0, 1);
  return out;
}

std::string percent_encoded(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 128 &&
        (std::isalnum(byte) != 0 || std::string_view("-._~/").find(c) != std::string_view::npos)) {
      out += c;
    } else {
      out += '%';
      out += digits[byte / 16];
      out += digits[byte % 16];
    }
  }
  return out;
}

}  // namespace httpd
