// SPDX-License-Identifier: MIT
#include "content_type.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace httpd {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 32> types = {{
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
}};
static_assert(std::is_sorted(types.begin(), types.end()));

}  // namespace

std::string_view content_type(std::string_view name) {
  constexpr std::string_view unknown = "application/octet-stream";
  const auto end = name.find_last_of("./");
  if (end == std::string_view::npos || name[end] == '/') return unknown;
  std::string extension(name.substr(end + 1));
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* const found =
      std::lower_bound(types.begin(), types.end(), extension,
                       [](const auto& type, const auto& key) { return type.first < key; });
  return found != types.end() && found->first == extension ? found->second : unknown;
}

}  // namespace httpd
