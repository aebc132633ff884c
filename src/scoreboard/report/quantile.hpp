// SPDX-License-Identifier: MIT
// Which step of a histogram a share of its values ends in. Pure.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>

namespace brood {

// The first step up to which there is this share (0 to 1) of the values. Empty: there are no values.
inline std::optional<std::size_t> step_at(double share, std::span<const std::uint64_t> histogram) {
  const auto all = std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0});
  if (all == 0) return {};
  const double wanted = std::ceil(share * static_cast<double>(all));
  std::uint64_t seen = 0;
  std::size_t step = 0;
  for (; step + 1 < histogram.size(); ++step) {
    seen += histogram[step];
    if (static_cast<double>(seen) >= wanted) break;
  }
  return step;
}

}  // namespace brood
