// SPDX-License-Identifier: MIT
// Cells in aligned columns. Knows nothing of what stands in them.
#pragma once

#include <string>
#include <vector>

namespace brood::ctl {

enum class Align { left, right };

class Table {
 public:
  void column(std::string heading, Align align);
  void row(std::vector<std::string> cells);

  // A column in which every cell is empty is left out. No line is wider than `width`: what is too long is
  // cut.
  std::string print(std::size_t width) const;

 private:
  struct Column {
    std::string heading;
    Align align;
  };
  std::size_t width_of(std::size_t column) const;  // 0: empty in every row

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace brood::ctl
