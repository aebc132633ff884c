// SPDX-License-Identifier: MIT
#include "ctl/top/series.hpp"

#include <algorithm>
#include <numeric>

namespace brood::ctl {

void Series::add(double point) {
  points.push_back(point);
  if (points.size() <= longest_series) return;
  points.pop_front();
  ++first;
}

Condensed condense(const Series& series, std::size_t columns) {
  Condensed out;
  if (series.points.empty() || columns < 2) return out;
  const std::uint64_t size = series.points.size(), end = series.first + size;
  // The first and the last column may have fewer.
  std::uint64_t each = 1;
  while ((size + each - 2) / each + 1 > columns) ++each;
  for (std::uint64_t group = series.first / each; group * each < end; ++group) {
    const auto from = static_cast<std::ptrdiff_t>(std::max(group * each, series.first) - series.first);
    const auto to = static_cast<std::ptrdiff_t>(std::min((group + 1) * each, end) - series.first);
    const double sum = std::accumulate(series.points.begin() + from, series.points.begin() + to, 0.0);
    out.columns.push_back(sum / static_cast<double>(to - from));
  }
  out.span = series.step * series.points.size();
  return out;
}

}  // namespace brood::ctl
