// SPDX-License-Identifier: MIT
// Prints cells in aligned columns.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace brood::ctl {

enum class Align { left, right };

class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void row(std::vector<std::string> cells);

  // Leaves out a column if all its cells are empty, and cuts lines that are longer than `width`.
  std::string print(std::size_t width) const;

 private:
  std::size_t width_of(std::size_t column) const;  // 0: empty in every row

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace brood::ctl
