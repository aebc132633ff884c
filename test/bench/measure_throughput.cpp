// SPDX-License-Identifier: MIT
// Connections a second against the bare loop. Rates move by a factor of three from minute to minute on a
// shared machine; ratios hold, where the two are measured in turns of a fraction of a second, and client and
// servers share one CPU, so that the time to wake a sleeping CPU stays out of it, and what other programs
// take of it can be left out.
#include <ctime>

#include <array>
#include <chrono>
#include <numeric>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned children = 16;
constexpr auto turn = 125ms;
constexpr int turns = 4;  // of each, in a round
constexpr double least_ratio = 0.97;

std::chrono::nanoseconds own_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

struct Side {
  std::string address;
  std::vector<pid_t> children;
  double rates = 0;
  std::chrono::nanoseconds cpu{0}, clients_cpu{0};
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;

  void take_turn(unsigned clients) {
    const auto before = cpu_used();
    const auto own_before = own_cpu_time();
    LoadPlan plan;
    plan.address = address;
    plan.concurrency = clients;
    plan.duration = turn;
    LoadWatch watch;
    const LoadResult result = run_load(plan, watch);
    clients_cpu += own_cpu_time() - own_before;
    cpu += cpu_used() - before;
    rates += result.rate();
    answered += result.answered;
    failed += result.failed();
  }

  double cpu_each() const { return static_cast<double>(cpu.count()) / static_cast<double>(answered); }
  // Client and children share one CPU, which is never idle: with nobody else on it, this is the rate by the
  // clock. With others on it, it still is the rate of that part of a second that they leave.
  double per_cpu_second() const {
    return static_cast<double>(answered) / std::chrono::duration<double>(cpu + clients_cpu).count();
  }

 private:
  std::chrono::nanoseconds cpu_used() const {
    return std::accumulate(children.begin(), children.end(), std::chrono::nanoseconds{0},
                           [](auto sum, pid_t child) { return sum + cpu_time(child); });
  }
};

struct Ratios {
  Samples cpu_second, clock_second, cpu, bare_cpu;
  std::uint64_t failed = 0;
};

Ratios compare(const MeasuredServer& server, const BareServer& bare, unsigned clients, int rounds) {
  Ratios ratios;
  for (int round = 0; round <= rounds; ++round) {
    Side kit{server.address(), server.children()};
    Side loop{bare.address(), bare.children()};
    for (int i = 0; i < turns; ++i) {
      // First one, then the other way round: what drifts hits both alike.
      (i % 2 == 0 ? loop : kit).take_turn(clients);
      (i % 2 == 0 ? kit : loop).take_turn(clients);
    }
    ratios.failed += kit.failed + loop.failed;
    if (round == 0) continue;  // to warm up
    ratios.clock_second.add(kit.rates / loop.rates);
    ratios.cpu.add(kit.cpu_each() / loop.cpu_each());
    ratios.cpu_second.add(kit.per_cpu_second() / loop.per_cpu_second());
    ratios.bare_cpu.add(loop.cpu_each() / 1000);
  }
  return ratios;
}

}  // namespace

void measure_throughput(Report& report, Extent extent) {
  constexpr std::array<unsigned, 3> concurrencies = {1, 32, 256};
  const auto name = [](unsigned clients) {
    return std::to_string(clients) + (clients == 1 ? " client" : " clients");
  };
  {
    const Pinned one_cpu(0);
    const MeasuredServer server("echo", fixed_pool(children));
    const BareServer bare(children);
    for (const unsigned clients : concurrencies) {
      const Ratios ratios = compare(server, bare, clients, extent.of(15, 7));
      const auto inform = [&](const std::string& what, const std::string& measured) {
        report.add(Verdict::information, name(clients) + ", one CPU, " + what, measured);
      };
      report.add(pass_if(ratios.cpu_second.median() >= least_ratio && ratios.failed == 0),
                 name(clients) + ", one CPU, ratio of connections a second of that CPU",
                 ratios.cpu_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
                 "at least 0.97 in the median, 0 failed");
      inform("the same a second of the clock", ratios.clock_second.describe(3));
      inform("ratio of the children's CPU time a connection", ratios.cpu.describe(3));
      inform("CPU time of the bare loop's children a connection", ratios.bare_cpu.describe(1, " us"));
    }
  }
  const MeasuredServer server("echo", fixed_pool(children));
  const BareServer bare(children);
  for (const unsigned clients : concurrencies)
    report.add(Verdict::information, name(clients) + ", CPUs as they come, ratio",
               compare(server, bare, clients, extent.of(5, 3)).clock_second.describe(3));
}

}  // namespace brood::bench
