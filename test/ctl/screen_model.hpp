// SPDX-License-Identifier: MIT
// A terminal as far as broodctl top uses one: cells, a cursor that does not wrap, and attributes.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "ctl/top/screen/cells.hpp"
#include "ctl/top/screen/differ.hpp"

namespace brood::test {

class ScreenModel {
 public:
  void resize(ctl::Size size) {
    size_ = size;
    cells_.assign(size.columns * size.rows, {"x", "old"});  // what a resize leaves is not known
  }

  void take(std::string_view text) {
    while (!text.empty()) {
      std::size_t length = 1;
      if (text.starts_with("\x1b[")) {
        length = text.find_first_of("HJm") + 1;
        REQUIRE(length > 0);
        obey(text.substr(2, length - 3), text[length - 1]);
      } else {
        while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0U) == 0x80U) ++length;
        REQUIRE(text.front() != '\x1b');
        REQUIRE(column_ < size_.columns);
        REQUIRE(row_ < size_.rows);
        cells_[row_ * size_.columns + column_++] = {std::string(text.substr(0, length)), attributes_};
      }
      text.remove_prefix(length);
    }
    CHECK(attributes_ == "0");
  }

  // Each style is drawn by the attributes that it has on a screen of its own.
  bool same_as(const ctl::Canvas& canvas, unsigned colours) const {
    if (canvas.size() != size_) return false;
    for (std::size_t row = 0; row < size_.rows; ++row)
      for (std::size_t column = 0; column < size_.columns; ++column) {
        const ctl::Cell& cell = canvas.at(column, row);
        std::string letter;
        ctl::append_utf8(letter, cell.letter);
        if (cells_[row * size_.columns + column] != std::pair(letter, attributes_of(cell.style, colours)))
          return false;
      }
    return true;
  }

 private:
  static std::string attributes_of(ctl::Style style, unsigned colours) {
    static std::map<std::pair<ctl::Style, unsigned>, std::string> known;
    auto& attributes = known[{style, colours}];
    if (attributes.empty()) {
      ctl::Canvas before(ctl::Size{.columns = 1, .rows = 1}), one = before;
      one.put(0, 0, U'x', style);
      const std::string drawn = ctl::difference(before, one, colours);
      const auto end = drawn.find('m');
      const auto begin = drawn.rfind('[', end);
      attributes = end == std::string::npos ? "0" : drawn.substr(begin + 1, end - begin - 1);
    }
    return attributes;
  }

  void obey(std::string_view parameters, char order) {
    if (order == 'm') attributes_ = parameters;
    if (order == 'J') {
      REQUIRE(parameters == "2");
      cells_.assign(cells_.size(), {" ", "0"});
    }
    if (order != 'H') return;
    const auto numbers = split(parameters, ';');
    REQUIRE(numbers.size() == 2);
    row_ = parse_number<std::size_t>(numbers[0]).value() - 1;
    column_ = parse_number<std::size_t>(numbers[1]).value() - 1;
  }

  ctl::Size size_;
  std::vector<std::pair<std::string, std::string>> cells_;
  std::size_t column_ = 0, row_ = 0;
  std::string attributes_ = "0";
};

}  // namespace brood::test
