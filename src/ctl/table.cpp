// SPDX-License-Identifier: MIT
#include "table.hpp"

#include <algorithm>

namespace brood::ctl {

void Table::row(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::size_t Table::width_of(std::size_t column) const {
  std::size_t width = 0;
  for (const auto& row : rows_) width = std::max(width, row[column].size());
  return width == 0 ? 0 : std::max(width, columns_[column].heading.size());
}

std::string Table::print(std::size_t width) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) widths.push_back(width_of(i));

  std::string out;
  const auto print_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (widths[i] == 0) continue;
      const std::string& cell = cell_of(i);
      const std::string padding(widths[i] - cell.size(), ' ');
      if (!line.empty()) line += "  ";
      line += columns_[i].align == Align::left ? cell + padding : padding + cell;
    }
    line.resize(std::min(line.find_last_not_of(' ') + 1, width));
    out += line + '\n';
  };
  print_line([this](std::size_t i) -> const std::string& { return columns_[i].heading; });
  for (const auto& row : rows_) print_line([&row](std::size_t i) -> const std::string& { return row[i]; });
  return out;
}

}  // namespace brood::ctl
