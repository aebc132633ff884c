// SPDX-License-Identifier: MIT
// Durations, kept as counts in buckets: memory and cost stay the same however many there are. A bucket is at
// most 1/32 of its value wide.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace brood::load {

class Latencies {
 public:
  void add(std::chrono::nanoseconds latency) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
    ++buckets_[bucket_of(value)];
    ++number_;
    longest_ = std::max(longest_, latency);
  }

  std::uint64_t number() const { return number_; }
  std::chrono::nanoseconds longest() const { return longest_; }

  // The latency that this share (0 to 1) of them did not exceed; 0 where there are none.
  std::chrono::nanoseconds at(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(number_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && seen >= wanted) return std::min(longest_, std::chrono::nanoseconds(lower_end(i + 1)));
    }
    return longest_;
  }

 private:
  // Up to 2^5 each value has a bucket of its own; from there on each power of two has 2^5 of them.
  static constexpr unsigned fine_bits = 5;
  static constexpr std::uint64_t fine = 1U << fine_bits;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < fine) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - fine_bits;
    return (shift + 1) * fine + ((value >> shift) - fine);
  }
  static std::int64_t lower_end(std::size_t bucket) {
    if (bucket < fine) return static_cast<std::int64_t>(bucket);
    return static_cast<std::int64_t>((bucket % fine + fine) << (bucket / fine - 1));
  }

  std::array<std::uint64_t, (64 - fine_bits) * fine> buckets_{};
  std::uint64_t number_ = 0;
  std::chrono::nanoseconds longest_{};
};

}  // namespace brood::load
