// SPDX-License-Identifier: MIT
// What the bench says: one line for each thing that was measured, with what it must be and whether it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace brood::bench {

enum class Verdict : std::uint8_t { information, pass, fail, skipped };

inline Verdict pass_if(bool good) { return good ? Verdict::pass : Verdict::fail; }

class Report {
 public:
  void begin(std::string_view measure, std::string_view what);
  // `must`: what it must show; for what was skipped, why.
  void add(Verdict verdict, std::string_view what, std::string_view measured, std::string_view must = "");
  void skip(std::string_view what, std::string_view why) { add(Verdict::skipped, what, "", why); }

  unsigned failed() const { return failed_; }

 private:
  unsigned failed_ = 0;
};

// Figures that were taken several times.
class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  void add(std::chrono::nanoseconds value) { add(std::chrono::duration<double, std::milli>(value).count()); }
  std::size_t number() const { return values_.size(); }
  double least() const { return at(0); }
  double median() const;
  double most() const { return at(1); }
  std::string describe(int decimals,
                       std::string_view unit = "") const;  // "min 0.95, median 0.98, max 1.01 (7 times)"

 private:
  double at(double share) const;

  std::vector<double> values_;
};

std::string decimal(double value, int decimals);

}  // namespace brood::bench
