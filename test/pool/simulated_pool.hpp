// SPDX-License-Identifier: MIT
// A service without processes, in virtual time: simulated children and clients, and a parent that looks only
// when it is woken or when it wanted to look again, as the real one does. The policy and the throttle are the
// real ones. Each history follows from its seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pool/policy.hpp"
#include "pool/throttle.hpp"

namespace brood::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  unsigned below(unsigned limit) { return static_cast<unsigned>(next() % limit); }
  unsigned between(unsigned low, unsigned high) { return low + below(high - low + 1); }
  bool one_in(unsigned number) { return below(number) == 0; }
  Clock::duration time(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return low + std::chrono::milliseconds(below(static_cast<unsigned>((high - low).count()) + 1));
  }

 private:
  std::uint64_t next() {  // splitmix64
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31U);
  }
  std::uint64_t state_;
};

// What children do that are started from now on.
enum class Mood { well, slow, fails_at_once, fails_late, fails_when_ready, crashes_on_connections };

struct SimulatedChild {
  unsigned generation = 0;
  Mood mood = Mood::well;
  bool serving = false, gone = false;
  Time starts_until = never;  // then it is ready, or fails
  Time ends_at = never;       // by itself
  Time hangs_until{};
  std::vector<Time> open;  // when each of its connections ends
  Time busy_since{};
  std::uint64_t waits_since = 0;  // its place among those that wait for connections
  unsigned accepted = 0, finished = 0;
  // What the parent knows:
  Time ready_at = never;  // never: it is not
  bool proven = false, replacement = false, told = false;
  Time told_at{};
};

class SimulatedPool {
 public:
  SimulatedPool(const Limits& limits, unsigned room, Dice& dice);

  // ---- what happens
  void arrive(unsigned connections, Clock::duration each_lasts);
  void reload();
  void kill_one(bool idle);
  void hang_one(Clock::duration time);  // one that serves takes nothing and ends nothing for so long
  void run(Clock::duration time);
  bool run_until_it_sleeps(Clock::duration at_most);

  Mood mood = Mood::well;
  bool forks = true;
  unsigned cap = 0;
  unsigned fewest_ready = 0;  // fewer are a fault
  bool trace = false;         // print what there is at each look

  // ---- what there is
  Time now() const { return now_; }
  unsigned total() const { return static_cast<unsigned>(children_.size()); }
  // Serve, and were not told to leave, or have a connection that takes long.
  unsigned ready() const;
  unsigned spares() const;    // serve, were not told to leave, and have room
  unsigned outdated() const;  // of an old generation, whatever they do
  unsigned waiting() const { return static_cast<unsigned>(queue_.size()); }
  unsigned started() const { return started_; }
  const Throttle& throttle() const { return throttle_; }
  const std::vector<std::string>& faults() const { return faults_; }
  std::string describe() const;

 private:
  bool is_outdated(const SimulatedChild& child) const;
  bool has_room(const SimulatedChild& child) const { return child.serving && child.open.size() < room_; }
  bool may_still_fail(const SimulatedChild& child) const;
  Census count() const;
  void look();
  void act(const Plan& plan);
  void start(unsigned number, bool replacement);
  void retire(unsigned number, bool surplus);
  void check(const Census& census, const Plan& plan);
  Time next_event() const;
  void advance(Time until);
  void child_event(SimulatedChild& child);
  void accept_what_waits();
  void child_ends(SimulatedChild& child, bool asked);
  void fault(const std::string& what);

  const Limits limits_;
  const unsigned room_;
  Dice& dice_;
  Time now_{std::chrono::hours(1)};
  std::vector<SimulatedChild> children_;
  std::vector<Clock::duration> queue_;
  unsigned generation_ = 1, started_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t turn_ = 0;
  // The parent:
  Throttle throttle_;
  Pace pace_;
  Thresholds wake_;
  unsigned fewest_idle_ = 0;
  bool woken_ = true, watches_ = false;
  Time look_again_ = never;
  std::vector<std::string> faults_;
};

}  // namespace brood::test
