// SPDX-License-Identifier: MIT
#include "simulated_pool.hpp"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <tuple>

namespace brood::test {
namespace {

using namespace std::chrono_literals;

constexpr auto proof_time = 1s;
constexpr auto leave_time = 1ms;

}  // namespace

SimulatedPool::SimulatedPool(const Limits& limits, unsigned room, Dice& dice)
    : limits_(limits), room_(room), dice_(dice) {}

void SimulatedPool::fault(const std::string& what) {
  if (faults_.size() < 5) faults_.push_back(what + ": " + describe());
}

std::string SimulatedPool::describe() const {
  std::ostringstream out;
  out << "at " << std::chrono::duration<double>(now_ - Time(1h)).count() << " s, max-clients "
      << limits_.max_clients << ", spares " << limits_.min_spare_servers << "-" << limits_.max_spare_servers
      << ", generation " << generation_ << ", waiting " << waiting() << ", throttle " << throttle_.active()
      << throttle_.trusts();
  for (const auto& child : children_)
    out << "\n  generation " << child.generation << (child.serving ? " serves" : " starts") << " open "
        << child.open.size() << (child.told ? " told" : "") << (child.replacement ? " replacement" : "")
        << (child.proven ? " proven" : "") << " accepted " << child.accepted;
  return out.str();
}

// ---- children and clients

bool SimulatedPool::is_outdated(const SimulatedChild& child) const {
  return child.generation != generation_ || (cap != 0 && child.finished >= cap);
}

unsigned SimulatedPool::ready() const {
  return static_cast<unsigned>(std::ranges::count_if(children_, [&](const auto& child) {
    return child.serving &&
           (!child.told || (!child.open.empty() && now_ - child.told_at >= leaving_patience));
  }));
}

unsigned SimulatedPool::spares() const {
  return static_cast<unsigned>(
      std::ranges::count_if(children_, [&](const auto& child) { return has_room(child) && !child.told; }));
}

unsigned SimulatedPool::outdated() const {
  return static_cast<unsigned>(
      std::ranges::count_if(children_, [&](const auto& child) { return child.generation != generation_; }));
}

void SimulatedPool::arrive(unsigned connections, Clock::duration each_lasts) {
  queue_.insert(queue_.end(), connections, each_lasts);
  if (watches_) woken_ = true;
  accept_what_waits();
}

void SimulatedPool::accept_what_waits() {
  while (!queue_.empty()) {
    SimulatedChild* next = nullptr;
    for (auto& child : children_)
      if (has_room(child) && !child.told && child.hangs_until <= now_ &&
          (next == nullptr || child.waits_since < next->waits_since))
        next = &child;
    if (next == nullptr) return;
    next->waits_since = ++turn_;
    if (next->open.empty()) next->busy_since = now_;
    next->open.push_back(now_ + queue_.front());
    queue_.erase(queue_.begin());
    ++next->accepted;
    ++taken_;
    if (next->mood == Mood::crashes_on_connections) next->ends_at = now_ + 1ms;
    if (next->open.size() > 1 && next->open.size() < room_) continue;
    fewest_idle_ = std::min(fewest_idle_, spares());
    if (spares() < wake_.below) woken_ = true;
  }
}

void SimulatedPool::reload() {
  ++generation_;
  throttle_.start_over();
  woken_ = true;
}

void SimulatedPool::kill_one(bool idle) {
  std::vector<SimulatedChild*> able;
  for (auto& child : children_)
    if (!idle || (child.serving && child.open.empty() && !child.told)) able.push_back(&child);
  if (able.empty()) return;
  SimulatedChild& child = *able[dice_.below(static_cast<unsigned>(able.size()))];
  const bool was_idle = child.serving && child.open.empty();
  child_ends(child, child.told || (was_idle && child.ready_at != never));
  std::erase_if(children_, [](const auto& each) { return each.gone; });
}

void SimulatedPool::hang_one(Clock::duration time) {
  const auto serving = std::ranges::find_if(children_, &SimulatedChild::serving);
  if (serving == children_.end()) return;
  serving->hangs_until = now_ + time;
  for (Time& end : serving->open) end = std::max(end, serving->hangs_until);
}

// `asked`: it is no failure.
void SimulatedPool::child_ends(SimulatedChild& child, bool asked) {
  child.gone = true;
  woken_ = true;
  if (child.finished > 0) child.proven = true;
  if (!asked && !child.proven) throttle_.failed(now_);
}

void SimulatedPool::child_event(SimulatedChild& child) {
  if (child.ends_at <= now_) return child_ends(child, child.told);
  if (child.starts_until <= now_) {
    child.starts_until = never;
    if (child.mood == Mood::fails_at_once || child.mood == Mood::fails_late)
      return child_ends(child, child.told);
    child.serving = true;
    child.waits_since = ++turn_;
    if (child.mood == Mood::fails_when_ready) child.ends_at = now_ + dice_.time(0ms, 900ms);
    woken_ = true;
  }
  const auto before = child.open.size();
  std::erase_if(child.open, [&](Time end) { return end <= now_; });
  child.finished += static_cast<unsigned>(before - child.open.size());
  if (before == child.open.size()) return;
  if (child.finished == 1 && (throttle_.active() || !throttle_.trusts())) woken_ = true;
  if (child.told && child.open.empty()) child.ends_at = now_ + leave_time;
  if (child.told) return;
  if (is_outdated(child)) woken_ = true;  // it asks
  if (spares() > wake_.above) woken_ = true;
}

Time SimulatedPool::next_event() const {
  Time next = woken_ ? now_ : look_again_;
  for (const auto& child : children_) {
    next = std::min({next, child.ends_at, child.starts_until});
    if (child.hangs_until > now_) next = std::min(next, child.hangs_until);
    for (const Time end : child.open) next = std::min(next, end);
  }
  return next;
}

void SimulatedPool::advance(Time until) {
  now_ = std::max(now_, until);
  for (auto& child : children_)
    if (!child.gone) child_event(child);
  std::erase_if(children_, [](const auto& child) { return child.gone; });
  accept_what_waits();
  if (woken_ || look_again_ <= now_) look();
  if (ready() < fewest_ready) fault("too few are ready");
}

void SimulatedPool::run(Clock::duration time) {
  const Time until = now_ + time;
  Time last = now_;
  for (int turns = 0; next_event() <= until && faults_.empty(); ++turns) {
    if (now_ != last) turns = 0;
    last = now_;
    if (turns > 500) return fault("the parent spins");
    advance(next_event());
  }
  now_ = until;
}

bool SimulatedPool::run_until_it_sleeps(Clock::duration at_most) {
  const Time until = now_ + at_most;
  while (next_event() != never && next_event() <= until && faults_.empty()) advance(next_event());
  return next_event() == never;
}

// ---- the parent: what Growth, Pool and the census do with processes

bool SimulatedPool::may_still_fail(const SimulatedChild& child) const {
  return !throttle_.trusts() && !child.proven && now_ < child.ready_at + proof_time;
}

Census SimulatedPool::count() const {
  Census census;
  census.backlog = waiting();
  census.room = room_;
  census.taken = taken_;
  for (const auto& child : children_) {
    ++census.total;
    if (child.told) {
      ++census.leaving;
      const Time long_from = child.told_at + leaving_patience;
      if (!child.open.empty() && now_ >= long_from) ++census.leaving_long;
      if (!child.open.empty() && now_ < long_from)
        census.next_change = std::min(census.next_change, long_from);
      continue;
    }
    const bool present = child.generation == generation_;
    const bool replaces = child.replacement && present;
    if (!child.serving) {
      ++census.starting;
      if (replaces) ++census.replacements_starting;
      continue;
    }
    const bool idle = has_room(child);
    if (idle) ++census.idle;
    if (idle && !child.open.empty()) ++census.idle_connected;
    if (is_outdated(child)) ++(idle ? census.outdated_idle : census.outdated_busy);
    if (!present && child.replacement) ++census.outdated_replacements;
    if (!present) continue;
    if (!child.proven) census.next_change = std::min(census.next_change, child.ready_at + proof_time);
    const bool may_fail = may_still_fail(child);
    if (may_fail) ++census.unproven;
    if (replaces) ++(may_fail ? census.replacements_starting : census.replacements_ready);
  }
  census.fewest_idle = std::min(fewest_idle_, census.idle);
  return census;
}

void SimulatedPool::look() {
  woken_ = false;
  bool proved = false;
  for (auto& child : children_) {
    if (child.proven || !child.serving) continue;
    if (child.ready_at == never) child.ready_at = now_;
    child.proven = child.finished > 0 || now_ - child.ready_at >= proof_time;
    proved |= child.proven && child.generation == generation_;
  }
  if (proved) throttle_.proved();

  if (trace) std::cerr << describe() << '\n';
  const Census census = count();
  pace_.may_start = throttle_.may_start();
  pace_.one_at_a_time = throttle_.active();
  const Plan plan = decide(census, limits_, pace_, now_);
  if (plan.complete) throttle_.complete(now_);
  check(census, plan);
  act(plan);
  pace_ = plan.pace;
  if (plan.count_fewest) fewest_idle_ = spares();
  watches_ = plan.watch_listeners;
  look_again_ = plan.look_again;
  const bool delayed = throttle_.active() && now_ < throttle_.may_start();
  if (delayed) look_again_ = std::min(look_again_, throttle_.may_start());
  wake_ = thresholds(plan, limits_, {.count = census.idle, .delayed = delayed});
}

void SimulatedPool::act(const Plan& plan) {
  start(plan.spawn, false);
  start(plan.spawn_replacements, true);
  retire(plan.retire_outdated, false);
  unsigned done = plan.replacements_done;
  for (auto& child : children_)
    if (done > 0 && child.replacement && child.serving && child.generation == generation_ &&
        !may_still_fail(child)) {
      child.replacement = false;
      --done;
    }
  retire(plan.retire_surplus, true);
}

void SimulatedPool::start(unsigned number, bool replacement) {
  for (; number > 0; --number) {
    if (!forks) return throttle_.could_not_fork(now_);
    ++started_;
    SimulatedChild child{.generation = generation_, .mood = mood};
    child.replacement = replacement;
    const bool slow = mood == Mood::slow || mood == Mood::fails_late;
    child.starts_until = now_ + (slow ? dice_.time(1000ms, 3000ms) : dice_.time(0ms, 5ms));
    children_.push_back(child);
    throttle_.started(now_);
  }
}

void SimulatedPool::retire(unsigned number, bool surplus) {
  std::vector<SimulatedChild*> able;
  for (auto& child : children_)
    if (child.serving && !child.told && (surplus ? child.open.empty() : is_outdated(child)))
      able.push_back(&child);
  std::ranges::stable_sort(able, [&](const SimulatedChild* a, const SimulatedChild* b) {
    const auto overtaken = [&](const auto& one) { return one.replacement && one.generation != generation_; };
    return std::tuple(is_outdated(*b), overtaken(*b), b->open.empty(), b->busy_since) <
           std::tuple(is_outdated(*a), overtaken(*a), a->open.empty(), a->busy_since);
  });
  if (able.size() < number) fault("more are to leave than there are");
  able.resize(std::min<std::size_t>(able.size(), number));
  for (auto* child : able) {
    child->told = true;
    child->told_at = now_;
    if (child->open.empty()) child->ends_at = std::min(child->ends_at, now_ + leave_time);
  }
}

// What holds of each plan.
void SimulatedPool::check(const Census& census, const Plan& plan) {
  const unsigned started = plan.spawn + plan.spawn_replacements;
  if (started > 0 && census.total + started > limits_.max_clients) fault("more children than max-clients");
  if (started > 0 && now_ < throttle_.may_start()) fault("a start that the throttle does not permit");
  if (plan.retire_surplus > 0 && census.idle < plan.retire_surplus + limits_.min_spare_servers)
    fault("fewer spares than min-spare-servers, for a surplus");
  if (plan.look_again < now_) fault("a look in the past");
  const unsigned replaced = census.replacements_ready + census.outdated_replacements;
  const unsigned unreplaced = plan.retire_outdated - std::min(plan.retire_outdated, replaced);
  if (unreplaced > 0 && census.total < limits_.max_clients)
    fault("a child leaves without a replacement, for which there is room");
  if (unreplaced > std::max(1U, census.total / 10)) fault("more than a tenth leave without a replacement");
}

}  // namespace brood::test
