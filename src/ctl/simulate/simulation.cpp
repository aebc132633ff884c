// SPDX-License-Identifier: MIT
#include "ctl/simulate/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <queue>

#include "ctl/simulate/parent.hpp"
#include "ctl/simulate/processors.hpp"

namespace brood::ctl {
namespace {

using std::chrono::nanoseconds;

constexpr Time beginning{std::chrono::hours(1)};
// Of a child that was told to, and has no connection.
constexpr std::chrono::milliseconds time_to_leave{1};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Load& load, nanoseconds step, std::uint64_t seed)
      : scenario_(scenario),
        load_(load),
        step_(step),
        random_(seed),
        parent_(scenario.limits, scenario.fork_time),
        processors_(scenario.processors) {}
  SimulationResult run();

 private:
  enum class Kind : std::uint8_t { ready, finished, gone, too_old };
  struct Event {
    Time at;
    std::uint64_t number;  // of two at the same time the older one is first
    Kind kind;
    ChildId child;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };

  Time next_arrival() const {
    return arrived_ < load_.arrivals.size() ? beginning + load_.arrivals[arrived_].at : never;
  }
  void at(Time time, Kind kind, ChildId child) { events_.push({time, ++events_made_, kind, child}); }
  bool happens(double share) { return share > 0 && std::bernoulli_distribution(share)(random_); }
  void record_until(Time time);
  void arrive();
  void serve_queue();
  void happen(const Event& event);
  void computed(ChildId id);
  void finished(ChildId id);
  void end(ChildId id, bool asked);
  void look();

  const Scenario& scenario_;
  const Load& load_;
  const nanoseconds step_;
  Random random_;
  Children children_;
  SimulatedParent parent_;
  Processors processors_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::deque<Arrival> queue_;
  std::size_t arrived_ = 0;
  std::uint64_t events_made_ = 0;
  Time now_ = beginning;
  SimulatedStep present_;
  SimulationResult result_;
};

void Simulation::record_until(Time time) {
  while (beginning + step_ * (result_.steps.size() + 1) <= time) {
    present_.at = step_ * (result_.steps.size() + 1);
    present_.children = children_.total();
    present_.busy = children_.busy();
    present_.spare = children_.idle();
    result_.steps.push_back(present_);
    present_ = {.most_waiting = static_cast<unsigned>(queue_.size())};
  }
}

void Simulation::arrive() {
  const Arrival& arrival = load_.arrivals[arrived_++];
  ++result_.arrivals;
  ++present_.arrivals;
  if (queue_.size() >= scenario_.listen_backlog) {
    ++result_.refused;
    ++present_.refused;
    return;
  }
  queue_.push_back(arrival);
  serve_queue();
  const auto waiting = static_cast<unsigned>(queue_.size());
  present_.most_waiting = std::max(present_.most_waiting, waiting);
  result_.most_waiting = std::max(result_.most_waiting, waiting);
  parent_.connection_arrives();
}

void Simulation::serve_queue() {
  while (!queue_.empty()) {
    const Arrival connection = queue_.front();
    const auto id = children_.accept(beginning + connection.at, now_);
    if (!id) return;
    queue_.pop_front();
    result_.waits.push_back(std::chrono::duration<float>(now_ - beginning - connection.at).count());
    result_.most_busy = std::max(result_.most_busy, children_.busy());
    parent_.child_becomes_busy(children_.idle());
    if (scenario_.processors <= 0) {
      at(now_ + connection.service, Kind::finished, *id);
      continue;
    }
    const auto computes = std::chrono::duration_cast<nanoseconds>(connection.service * scenario_.computes);
    children_.wait_after_computing(*id, connection.service - computes);
    processors_.begin(now_, *id, computes);
  }
}

void Simulation::computed(ChildId id) {
  if (children_[id].waits > nanoseconds(0)) return at(now_ + children_[id].waits, Kind::finished, id);
  finished(id);
}

void Simulation::finished(ChildId id) {
  const bool told = children_[id].told;
  result_.times.push_back(std::chrono::duration<float>(now_ - children_[id].arrived_at).count());
  if (happens(scenario_.crashes)) {
    ++result_.crashed;
    return end(id, told);
  }
  children_.finish(id);
  if (told) return at(now_ + time_to_leave, Kind::gone, id);
  const unsigned cap = scenario_.limits.max_requests_per_child;
  if (cap > 0 && children_[id].finished >= cap && !children_[id].outdated) {
    children_.outdate(id);
    parent_.wake();  // the child asks
  }
  parent_.child_becomes_idle(children_[id], children_.idle());
  serve_queue();
}

void Simulation::end(ChildId id, bool asked) {
  children_.end(id);
  parent_.child_ended(children_, id, asked, now_);
}

void Simulation::happen(const Event& event) {
  switch (event.kind) {
    case Kind::ready:
      if (happens(scenario_.failing_starts)) {
        ++result_.failed_starts;
        return end(event.child, false);
      }
      children_.become_ready(event.child);
      parent_.wake();
      return serve_queue();
    case Kind::finished:
      return finished(event.child);
    case Kind::gone:
      return end(event.child, true);
    case Kind::too_old:
      if (children_[event.child].phase == SimulatedChild::Phase::gone) return;
      children_.outdate(event.child);
      parent_.wake();
  }
}

void Simulation::look() {
  const SimulatedParent::Orders orders = parent_.look(children_, static_cast<unsigned>(queue_.size()), now_);
  Time forked = now_;
  for (unsigned i = 0; i < orders.start + orders.start_replacements; ++i) {
    forked += scenario_.fork_time;
    const ChildId id = children_.start(i >= orders.start);
    at(forked + scenario_.start_time, Kind::ready, id);
    if (scenario_.limits.max_lifetime_per_child.count() > 0)
      at(forked + scenario_.limits.max_lifetime_per_child, Kind::too_old, id);
    ++result_.forks;
    ++present_.forks;
  }
  result_.most_children = std::max(result_.most_children, children_.total());
  for (const ChildId id : orders.leave)
    if (children_[id].phase == SimulatedChild::Phase::idle) at(now_ + time_to_leave, Kind::gone, id);
}

SimulationResult Simulation::run() {
  const Time end = beginning + load_.length;
  for (;;) {
    const Time event = events_.empty() ? never : events_.top().at;
    const Time computed_at = processors_.next_end();
    const Time looks = parent_.next_look(now_);
    const Time next = std::min({event, computed_at, next_arrival(), looks});
    record_until(std::min(next, end));
    if (next >= end) break;
    now_ = next;
    if (event == next) {
      const Event first = events_.top();
      events_.pop();
      happen(first);
    } else if (computed_at == next) {
      computed(processors_.end(now_));
    } else if (next_arrival() == next) {
      arrive();
    } else {
      look();
    }
  }
  result_.still_waiting = static_cast<unsigned>(queue_.size());
  for (const Arrival& connection : queue_)
    result_.waits.push_back(std::chrono::duration<float>(load_.length - connection.at).count());
  std::ranges::sort(result_.waits);
  std::ranges::sort(result_.times);
  result_.looks = parent_.looks();
  return std::move(result_);
}

float at_share(const std::vector<float>& ascending, double share) {
  if (ascending.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(ascending.size())));
  return ascending[std::clamp<std::size_t>(rank, 1, ascending.size()) - 1];
}

}  // namespace

float SimulationResult::wait_of(double share) const { return at_share(waits, share); }
float SimulationResult::time_of(double share) const { return at_share(times, share); }

double SimulationResult::waited(double longer_than) const {
  if (waits.empty()) return 0;
  const auto first = std::ranges::upper_bound(waits, static_cast<float>(longer_than));
  return static_cast<double>(waits.end() - first) / static_cast<double>(waits.size());
}

SimulationResult run_simulation(const Scenario& scenario, const Load& load, nanoseconds step,
                                std::uint64_t seed) {
  return Simulation(scenario, load, step, seed).run();
}

std::vector<SimulatedStep> joined(const std::vector<SimulatedStep>& steps, std::size_t number) {
  std::vector<SimulatedStep> all;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i % number == 0) all.emplace_back();
    const SimulatedStep before = all.back();
    all.back() = steps[i];
    all.back().most_waiting = std::max(before.most_waiting, steps[i].most_waiting);
    all.back().arrivals += before.arrivals;
    all.back().forks += before.forks;
    all.back().refused += before.refused;
  }
  return all;
}

}  // namespace brood::ctl
