// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace brood::bench {
namespace {

constexpr std::array<std::string_view, 4> verdict_names = {"", "PASS", "FAIL", "SKIPPED"};

int width(std::string_view text) { return static_cast<int>(text.size()); }

}  // namespace

void Report::begin(std::string_view measure, std::string_view what) {
  std::printf("\n%.*s: %.*s\n", width(measure), measure.data(), width(what), what.data());
  std::fflush(stdout);
}

void Report::add(Verdict verdict, std::string_view what, std::string_view measured, std::string_view must) {
  if (verdict == Verdict::fail) ++failed_;
  const auto name = verdict_names[static_cast<std::size_t>(verdict)];
  std::printf("  %-7.*s  %.*s: %.*s", width(name), name.data(), width(what), what.data(), width(measured),
              measured.data());
  if (verdict == Verdict::skipped)
    std::printf("%.*s", width(must), must.data());
  else if (!must.empty())
    std::printf("; must be %.*s", width(must), must.data());
  std::printf("\n");
  std::fflush(stdout);
}

double Samples::at(double share) const {
  if (values_.empty()) return 0;
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const auto above = static_cast<std::size_t>(std::ceil(place));
  return (sorted[below] + sorted[above]) / 2;
}

double Samples::median() const { return at(0.5); }

std::string Samples::describe(int decimals, std::string_view unit) const {
  return "min " + decimal(least(), decimals) + ", median " + decimal(median(), decimals) + ", max " +
         decimal(most(), decimals) + std::string(unit) + " (" + std::to_string(number()) + " times)";
}

std::string decimal(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace brood::bench
