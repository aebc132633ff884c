// SPDX-License-Identifier: MIT
// A figure over time, and how it is drawn in a row of columns.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace brood::ctl {

inline constexpr std::size_t longest_series = 600;  // points: ten minutes of seconds

// Points at equal steps, the oldest first; the last one is that of now.
struct Series {
  std::chrono::milliseconds step{1000};
  std::uint64_t first = 0;  // the number of the first point, counted over those that were forgotten
  std::deque<double> points;

  void add(double point);
};

// The means of equal numbers of points, as many as fit into `columns`, the newest last. Points stay together
// when others are added. Nothing for one column.
struct Condensed {
  std::vector<double> columns;
  std::chrono::milliseconds span{};  // of all columns
};
Condensed condense(const Series& series, std::size_t columns);

}  // namespace brood::ctl
