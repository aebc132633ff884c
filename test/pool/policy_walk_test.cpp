// SPDX-License-Identifier: MIT
// The policy in random histories. Each follows from its seed, which is printed if an invariant does not hold:
//
//   BROOD_WALK_SEED=4711 ./test_pool --test-case='policy walk*'     walks that history alone, and prints it
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>

#include "simulated_pool.hpp"

using namespace std::chrono_literals;
using namespace brood;
using namespace brood::test;

namespace {

const char* chosen_seed() { return std::getenv("BROOD_WALK_SEED"); }

using History = void (*)(Dice& dice, std::vector<std::string>& faults);

void walk(const History& history, std::uint64_t first, std::uint64_t number) {
  if (const char* const chosen = chosen_seed(); chosen != nullptr) {
    first = std::strtoull(chosen, nullptr, 10);
    number = 1;
  }
  for (std::uint64_t seed = first; seed < first + number; ++seed) {
    Dice dice(seed);
    std::vector<std::string> faults;
    history(dice, faults);
    if (faults.empty()) continue;
    std::string all;
    for (const auto& fault : faults) all += fault + "\n";
    FAIL("BROOD_WALK_SEED=" << seed << "\n" << all);
  }
}

Limits some_limits(Dice& dice) {
  Limits limits;
  limits.max_clients = dice.between(1, 12);
  limits.min_spare_servers = dice.below(std::min(limits.max_clients, 4U) + 1);
  limits.max_spare_servers = std::max(limits.min_spare_servers, 1U) + dice.below(5);
  limits.start_servers = dice.below(limits.max_clients + 1);
  limits.idle_timeout = dice.one_in(2) ? 2s : 0s;
  return limits;
}

void something_happens(SimulatedPool& pool, Dice& dice) {
  switch (dice.below(9)) {
    case 0:
    case 1:
      return pool.arrive(dice.between(1, 20), dice.time(1ms, 20ms));
    case 2:
      return pool.arrive(dice.between(1, 8), dice.time(100ms, 15s));
    case 3:
      return pool.reload();
    case 4:
      return pool.kill_one(dice.one_in(2));
    case 5:
      pool.forks = !dice.one_in(5);
      return;
    case 6:
      return pool.hang_one(dice.time(100ms, 15s));
    default:
      pool.mood = static_cast<Mood>(dice.below(6));
  }
}

// What is always so when nothing more happens.
void check_rest(SimulatedPool& pool, const Limits& limits, std::vector<std::string>& faults) {
  const auto unless = [&](bool right, const std::string& fault) {
    if (!right) faults.push_back(fault + ": " + pool.describe());
  };
  const bool sleeps = pool.run_until_it_sleeps(20min);
  faults.insert(faults.end(), pool.faults().begin(), pool.faults().end());
  if (!faults.empty()) return;
  unless(sleeps, "the parent does not come to rest");
  unless(pool.waiting() == 0, "connections wait");
  unless(pool.outdated() == 0, "children of an old generation are left");
  unless(!pool.throttle().active(), "the throttle is not lifted");
  unless(pool.spares() == pool.total(), "not all children are spares");
  unless(pool.spares() >= limits.min_spare_servers, "fewer spares than min-spare-servers");
  unless(pool.spares() <= limits.max_spare_servers, "more spares than max-spare-servers");
  if (limits.idle_timeout > 0ms)
    unless(pool.spares() == limits.min_spare_servers, "spares that nobody needs");
}

// Load, reloads, faults and deaths, in any order.
void mixed(Dice& dice, std::vector<std::string>& faults) {
  const Limits limits = some_limits(dice);
  SimulatedPool pool(limits, dice.one_in(3) ? 3 : 1, dice);
  pool.trace = chosen_seed() != nullptr;
  if (dice.one_in(4)) pool.cap = dice.between(1, 5);
  for (unsigned steps = dice.between(3, 15); steps > 0; --steps) {
    something_happens(pool, dice);
    pool.run(dice.one_in(3) ? dice.time(0ms, 5000ms) : dice.time(0ms, 50ms));
  }
  pool.mood = Mood::well;
  pool.forks = true;
  check_rest(pool, limits, faults);
}

// A pool that serves well is reloaded, and what is started from then on is slow or fails: nothing but the
// reload takes children away.
void reloaded(Dice& dice, std::vector<std::string>& faults) {
  Limits limits;
  limits.max_clients = dice.between(1, 20);
  limits.min_spare_servers = dice.below(limits.max_clients + 1);
  limits.start_servers = dice.between(1, limits.max_clients);
  limits.max_spare_servers = limits.max_clients;
  SimulatedPool pool(limits, 1, dice);
  pool.trace = chosen_seed() != nullptr;
  pool.run(3s);
  pool.mood = static_cast<Mood>(dice.below(static_cast<unsigned>(Mood::crashes_on_connections)));
  const bool fails = pool.mood != Mood::well && pool.mood != Mood::slow;
  const unsigned load = pool.mood == Mood::fails_when_ready ? 0 : dice.below(limits.max_clients + 3);
  const auto serve = [&](unsigned steps) {
    for (; steps > 0; --steps) {
      pool.arrive(std::max(load, pool.waiting()) - pool.waiting(), dice.time(100ms, 400ms));
      pool.run(300ms);
    }
  };
  if (load > 0) serve(3);
  const unsigned before = pool.ready();
  const bool room = load == 0 && pool.total() < limits.max_clients;
  pool.fewest_ready = before - (room ? 0 : std::max(1U, limits.max_clients / 10));
  pool.reload();
  serve(fails ? 60 : 10);
  if (fails && pool.outdated() < pool.fewest_ready) faults.push_back("the old generation has left");
  const bool wanted = pool.outdated() > 0 || limits.min_spare_servers > 0;
  if (fails && wanted && !pool.throttle().active()) faults.push_back("nobody is told that replacements fail");
  pool.mood = Mood::well;
  check_rest(pool, limits, faults);
}

// No child ever serves anybody, and clients ask without end.
void hopeless(Dice& dice, std::vector<std::string>& faults) {
  const Limits limits = some_limits(dice);
  SimulatedPool pool(limits, 1, dice);
  pool.trace = chosen_seed() != nullptr;
  pool.mood = dice.one_in(2) ? Mood::crashes_on_connections : Mood::fails_at_once;
  for (int step = 0; step < 100; ++step) {
    pool.arrive(20 - std::min(pool.waiting(), 20U), 10ms);
    pool.run(100ms);
  }
  if (pool.started() > 100) faults.push_back("too many starts: " + std::to_string(pool.started()));
  if (!pool.throttle().active()) faults.push_back("nobody is told that children fail");
  pool.mood = Mood::well;
  check_rest(pool, limits, faults);
}

}  // namespace

TEST_CASE("policy walk: whatever happened, the pool comes to rest within its limits") {
  walk(mixed, 0, 40'000);
}
TEST_CASE("policy walk: and again") { walk(mixed, 40'000, 40'000); }
TEST_CASE("policy walk: a reload takes no more than a tenth away, whatever replacements do") {
  walk(reloaded, 100'000, 15'000);
}
TEST_CASE("policy walk: children that serve nobody are started rarely") { walk(hopeless, 200'000, 5'000); }
