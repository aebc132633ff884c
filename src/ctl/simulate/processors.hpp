// SPDX-License-Identifier: MIT
// Processors that children share evenly: with more children that compute than processors, each goes on as
// much slower. Pure.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "base/clock.hpp"

namespace brood::ctl {

class Processors {
 public:
  explicit Processors(double number) : number_(number) {}
  // `work`: how long it would take alone.
  void begin(Time now, std::uint32_t child, Clock::duration work);
  Time next_end() const;        // of those that compute; never: none does
  std::uint32_t end(Time now);  // the child that ends at next_end()

 private:
  double rate() const;
  void advance(Time now);

  struct Work {
    double ends_at;  // when each has computed for so long since the begin
    std::uint32_t child;
    bool operator>(const Work& other) const { return ends_at > other.ends_at; }
  };
  const double number_;
  double computed_ = 0;  // by each that was there all the time; seconds
  Time at_{};
  std::priority_queue<Work, std::vector<Work>, std::greater<>> works_;
};

}  // namespace brood::ctl
