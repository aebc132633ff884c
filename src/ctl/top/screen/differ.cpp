// SPDX-License-Identifier: MIT
#include "ctl/top/screen/differ.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace brood::ctl {
namespace {

// The parameters of SGR (ECMA-48, 8.3.117), each after a reset.
struct Look {
  std::string_view none, in_16, in_256;
};
constexpr std::array<Look, styles> looks = {{
    {"", "", ""},                               // plain
    {"", "2", "38;5;245"},                      // faint
    {"1", "1", "1"},                            // strong
    {"1", "1;32", "1;38;5;114"},                // busy
    {"", "36", "38;5;73"},                      // idle
    {"", "33", "38;5;179"},                     // starting
    {"", "35", "38;5;140"},                     // leaving
    {"1", "1;33", "1;38;5;214"},                // waiting
    {"", "32", "38;5;114"},                     // good
    {"1", "1;33", "1;38;5;214"},                // warning
    {"1;7", "1;37;41", "1;38;5;231;48;5;160"},  // critical
    {"7", "7", "38;5;231;48;5;238"},            // heading
    {"7", "30;46", "38;5;16;48;5;80"},          // selected
}};

void set_style(std::string& out, Style style, unsigned colours) {
  const Look& look = looks[static_cast<std::size_t>(style)];
  const std::string_view parameters = colours == 0 ? look.none : colours == 16 ? look.in_16 : look.in_256;
  out += "\x1b[0";
  if (!parameters.empty()) (out += ';') += parameters;
  out += 'm';
}

}  // namespace

std::string difference(const Canvas& shown, const Canvas& wanted, unsigned colours) {
  const auto [columns, rows] = wanted.size();
  const bool all = shown.size() != wanted.size();
  std::string out = all ? "\x1b[0m\x1b[2J" : "";
  Style style = Style::plain;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t next = columns;  // where the cursor is in this row; `columns`: elsewhere
    for (std::size_t column = 0; column < columns; ++column) {
      const Cell& cell = wanted.at(column, row);
      if (cell == (all ? Cell{} : shown.at(column, row))) continue;
      // To draw a few cells again takes fewer bytes than to go over them.
      constexpr std::size_t short_way = 4;
      if (next < column && column - next <= short_way) {
        for (; next < column; ++next) {
          const Cell& between = wanted.at(next, row);
          if (between.style != style) set_style(out, style = between.style, colours);
          append_utf8(out, between.letter);
        }
      } else if (next != column) {
        out += text("\x1b[", row + 1, ';', column + 1, 'H');
      }
      if (cell.style != style) set_style(out, style = cell.style, colours);
      append_utf8(out, cell.letter);
      next = column + 1;
    }
  }
  if (style != Style::plain) out += "\x1b[0m";
  return out;
}

std::string lines(const Canvas& canvas, unsigned colours) {
  const auto [columns, rows] = canvas.size();
  std::string out;
  std::size_t empty = 0;  // rows; those at the end are left out
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t end = columns;
    while (end > 0 && canvas.at(end - 1, row).letter == U' ') --end;
    if (end == 0) ++empty;
    if (end == 0) continue;
    out.append(std::exchange(empty, 0), '\n');
    Style style = Style::plain;
    for (std::size_t column = 0; column < end; ++column) {
      const Cell& cell = canvas.at(column, row);
      if (cell.style != style && colours > 0) set_style(out, style = cell.style, colours);
      append_utf8(out, cell.letter);
    }
    out += style == Style::plain ? "\n" : "\x1b[0m\n";
  }
  return out;
}

}  // namespace brood::ctl
