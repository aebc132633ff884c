// SPDX-License-Identifier: MIT
// A screen as data: rows of cells, each with a character that is one column wide, and a style.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brood::ctl {

// What a cell means. The terminal's colours for it are in colours.hpp.
enum class Style : std::uint8_t {
  plain,
  faint,
  strong,
  busy,
  idle,
  starting,
  leaving,
  waiting,
  good,
  warning,
  critical,
  heading,
  selected
};
inline constexpr std::size_t styles = 13;

struct Cell {
  char32_t letter = U' ';
  Style style = Style::plain;
  bool operator==(const Cell&) const = default;
};

struct Size {
  std::size_t columns = 80, rows = 24;
  bool operator==(const Size&) const = default;
};

class Canvas {
 public:
  Canvas() : Canvas(Size{.columns = 0, .rows = 0}) {}
  explicit Canvas(Size size) : size_(size), cells_(size.columns * size.rows) {}

  Size size() const { return size_; }
  const Cell& at(std::size_t column, std::size_t row) const { return cells_[row * size_.columns + column]; }

  // What is beyond an edge is cut. The text is printable ASCII. Returns the column behind it.
  std::size_t put(std::size_t column, std::size_t row, std::string_view ascii, Style style = Style::plain);
  std::size_t put(std::size_t column, std::size_t row, char32_t letter, Style style = Style::plain);
  void paint(std::size_t row, Style style);  // a whole row, whatever it says
  void clear(std::size_t row);

  // The characters of all rows, without the blanks at their ends, each with a newline.
  std::string text() const;

  bool operator==(const Canvas&) const = default;

 private:
  Size size_;
  std::vector<Cell> cells_;
};

void append_utf8(std::string& out, char32_t letter);

}  // namespace brood::ctl
