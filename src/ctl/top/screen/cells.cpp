// SPDX-License-Identifier: MIT
#include "ctl/top/screen/cells.hpp"

namespace brood::ctl {

std::size_t Canvas::put(std::size_t column, std::size_t row, char32_t letter, Style style) {
  if (column < size_.columns && row < size_.rows) cells_[row * size_.columns + column] = {letter, style};
  return column + 1;
}

std::size_t Canvas::put(std::size_t column, std::size_t row, std::string_view ascii, Style style) {
  for (const char letter : ascii)
    column = put(column, row, static_cast<char32_t>(static_cast<unsigned char>(letter)), style);
  return column;
}

void Canvas::paint(std::size_t row, Style style) {
  for (std::size_t column = 0; column < size_.columns; ++column)
    put(column, row, at(column, row).letter, style);
}

void Canvas::clear(std::size_t row) {
  for (std::size_t column = 0; column < size_.columns; ++column) put(column, row, U' ');
}

std::string Canvas::text() const {
  std::string out;
  for (std::size_t row = 0; row < size_.rows; ++row) {
    std::size_t end = size_.columns;
    while (end > 0 && at(end - 1, row).letter == U' ') --end;
    for (std::size_t column = 0; column < end; ++column) append_utf8(out, at(column, row).letter);
    out += '\n';
  }
  return out;
}

// RFC 3629.
void append_utf8(std::string& out, char32_t letter) {
  const auto rest = [&](unsigned shift) { out += static_cast<char>(0x80U | ((letter >> shift) & 0x3fU)); };
  if (letter < 0x80) {
    out += static_cast<char>(letter);
  } else if (letter < 0x800) {
    out += static_cast<char>(0xc0U | (letter >> 6U));
    rest(0);
  } else if (letter < 0x10000) {
    out += static_cast<char>(0xe0U | (letter >> 12U));
    rest(6);
    rest(0);
  } else {
    out += static_cast<char>(0xf0U | (letter >> 18U));
    rest(12);
    rest(6);
    rest(0);
  }
}

}  // namespace brood::ctl
