// SPDX-License-Identifier: MIT
#include "turns.hpp"

#include <ctime>

#include <numeric>

#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto usual_turn = 125ms;
constexpr int turns = 4;  // of each, in a round

std::chrono::nanoseconds own_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

LoadPlan plan_for(LoadPlan plan, const std::string& address) {
  plan.address = address;
  if (plan.duration == 0ns) plan.duration = usual_turn;
  plan.stay = plan.keep_alive;
  return plan;
}

struct Figures {
  double rates = 0;
  std::chrono::nanoseconds cpu{0}, clients_cpu{0};
  std::uint64_t answered = 0;

  double rate() const { return rates / turns; }
  double cpu_each() const { return static_cast<double>(cpu.count()) / static_cast<double>(answered); }
  double per_cpu_second() const {
    return static_cast<double>(answered) / std::chrono::duration<double>(cpu + clients_cpu).count();
  }
};

class Side {
 public:
  Side(const Contestant& contestant, const LoadPlan& plan)
      : processes_(contestant.processes), load_(plan_for(plan, contestant.address), watch_) {}

  void take_turn(Figures& figures) {
    const auto before = cpu_used();
    const auto own_before = own_cpu_time();
    const LoadResult result = load_.run();
    figures.clients_cpu += own_cpu_time() - own_before;
    figures.cpu += cpu_used() - before;
    figures.rates += result.rate();
    figures.answered += result.answered;
    failed_ += result.failed();
  }
  std::uint64_t failed() const { return failed_; }

 private:
  std::chrono::nanoseconds cpu_used() const {
    return std::accumulate(processes_.begin(), processes_.end(), std::chrono::nanoseconds{0},
                           [](auto sum, pid_t process) { return sum + cpu_time(process); });
  }

  const std::vector<pid_t> processes_;
  LoadWatch watch_;
  Load load_;
  std::uint64_t failed_ = 0;
};

}  // namespace

Ratios compare(const Contestant& first, const Contestant& second, const LoadPlan& plan, int rounds) {
  Ratios ratios;
  Side one(first, plan);
  Side other(second, plan);
  for (int round = 0; round <= rounds; ++round) {
    Figures ones;
    Figures others;
    for (int i = 0; i < turns; ++i) {
      // First one, then the other way round: what drifts hits both alike.
      if (i % 2 != 0) one.take_turn(ones);
      other.take_turn(others);
      if (i % 2 == 0) one.take_turn(ones);
    }
    pause_for(0ns);            // Ctrl-C ends it here
    if (round == 0) continue;  // to warm up
    ratios.clock_second.add(ones.rate() / others.rate());
    ratios.cpu.add(ones.cpu_each() / others.cpu_each());
    ratios.cpu_second.add(ones.per_cpu_second() / others.per_cpu_second());
    ratios.first_rate.add(ones.rate());
    ratios.second_rate.add(others.rate());
    ratios.second_cpu.add(others.cpu_each() / 1000);
  }
  ratios.failed = one.failed() + other.failed();
  return ratios;
}

}  // namespace brood::bench
