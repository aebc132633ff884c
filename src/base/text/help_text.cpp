// SPDX-License-Identifier: MIT
#include "base/text/help_text.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace brood {
namespace {

constexpr std::size_t least_width = 40, usual_width = 80;

std::size_t width_of(int descriptor) {
  const char* const columns = std::getenv("COLUMNS");  // NOLINT(concurrency-mt-unsafe): before any thread
  const auto told = parse_number<unsigned>(columns == nullptr ? "" : columns);
  if (told && *told > 0) return *told;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_width;
}

}  // namespace

std::size_t terminal_width(int descriptor) { return std::max(width_of(descriptor), least_width); }

void append_wrapped(std::string& out, std::string_view prose, std::size_t width, std::string_view prefix) {
  std::string line(prefix);
  for (const auto word : split(prose, ' ')) {
    if (word.empty()) continue;
    const bool begun = line.size() > prefix.size();
    if (begun && line.size() + 1 + word.size() > width) {
      out += line + '\n';
      line = prefix;
    } else if (begun) {
      line += ' ';
    }
    line += word;
  }
  out += line + '\n';
}

void append_entry(std::string& out, std::string_view name, std::string_view prose, std::size_t column,
                  std::size_t width) {
  constexpr std::size_t narrow_column = 6, narrowest_prose = 40;
  const std::size_t at = width < column + narrowest_prose ? narrow_column : column;
  std::string entry;
  append_wrapped(entry, prose, width, std::string(at, ' '));
  const std::string head = text("  ", name);
  if (head.size() + 2 > at)
    out += head + '\n' + entry;
  else
    out += head + entry.substr(head.size());
}

}  // namespace brood
