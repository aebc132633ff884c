// SPDX-License-Identifier: MIT
// What 10,000 networks in allow and deny cost: one search among them.
#include <chrono>
#include <random>
#include <vector>

#include "base/service/access_rules.hpp"
#include "measures.hpp"

namespace brood::bench {
namespace {

std::vector<AccessRule> networks(unsigned number) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  std::vector<AccessRule> all;
  for (unsigned i = 0; i < number; ++i) {
    AccessRule rule{.allows = i % 2 == 0, .kind = AccessRule::Kind::network};
    rule.network.first = {static_cast<std::uint8_t>(i % 4 == 0 ? 6 : 4), static_cast<std::uint8_t>(random()),
                          static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random())};
    rule.network.prefix = 32;
    all.push_back(rule);
  }
  return all;
}

}  // namespace

void measure_rules(Report& report, Extent extent) {
  constexpr unsigned number = 10'000, searches = 1000;
  const auto all = networks(number);
  const AccessRules rules(all);
  Samples took;
  unsigned admitted = 0;
  for (int round = 0; round < extent.of(200, 50); ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < searches; ++i)
      admitted += rules.find(all[std::size_t{i} * (number / searches)].network.first).admits ? 1 : 0;
    took.add((std::chrono::steady_clock::now() - begin) * 1000 / searches);
  }
  report.add(pass_if(took.median() < 2 && admitted > 0), "one search among 10,000 networks",
             took.describe(3, " us"), "under 2 us");
}

}  // namespace brood::bench
