// SPDX-License-Identifier: MIT
// Connections that wait: what one costs in memory, and whether those at work notice.
#include <sys/resource.h>

#include <algorithm>

#include "idle_connections.hpp"
#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "turns.hpp"

namespace brood::bench {
namespace {

constexpr unsigned children = 2;
constexpr unsigned wanted = 10'000;
constexpr unsigned active = 64;
constexpr double most_memory = 4;  // KiB a connection
constexpr double least_ratio = 0.90;

// One process holds them all; a child may come to hold them all too, and wants some more for itself.
unsigned possible_connections() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<unsigned>(
      std::min<rlim_t>(wanted, limit.rlim_max - std::min<rlim_t>(limit.rlim_max, 1000)));
}

std::uint64_t private_memory_of(const std::vector<pid_t>& pids) {
  std::uint64_t sum = 0;
  for (const pid_t pid : pids) sum += private_memory(pid).value_or(0);
  return sum;
}

void warm_up(const MeasuredServer& server) {
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = active;
  plan.keep_alive = true;
  plan.duration = std::chrono::milliseconds(500);
  LoadWatch watch;
  run_load(plan, watch);
}

}  // namespace

void measure_many(Report& report, Extent extent) {
  const unsigned idle = possible_connections();
  if (idle < wanted)
    report.add(Verdict::information, "fewer than 10,000, by the hard limit of descriptors",
               std::to_string(idle));
  const Pinned one_cpu(0);
  const Words settings =
      fixed_pool(children) + Words{"--max-connections-per-child=12000", "--connection-idle-timeout=0"};
  const MeasuredServer crowded("event_echo", settings);
  const MeasuredServer empty("event_echo", settings);
  warm_up(crowded);
  const auto before = private_memory_of(crowded.children());
  const IdleConnections waiting(crowded.address(), idle);
  const auto after = private_memory_of(crowded.children());
  const double each = (static_cast<double>(after) - static_cast<double>(before)) / idle;
  report.add(
      pass_if(before > 0 && each < most_memory),
      "private memory of the children for each of " + std::to_string(idle) + " idle connections",
      decimal(each, 2) + " KiB (" + std::to_string(before) + " before, " + std::to_string(after) + " after)",
      "under 4 KiB");

  LoadPlan plan;
  plan.concurrency = active;
  plan.keep_alive = true;
  const Ratios ratios = compare(crowded.contestant(), empty.contestant(), plan, extent.of(15, 7));
  report.add(pass_if(ratios.ratio() >= least_ratio && ratios.failed == 0),
             "64 at work beside them, one CPU, ratio of exchanges to a server without idle ones",
             ratios.cpu_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
             "at least 0.90 in the median, 0 failed");
  report.add(pass_if(waiting.closed() == 0), "idle ones that were closed in the meantime",
             std::to_string(waiting.closed()), "0");
}

}  // namespace brood::bench
