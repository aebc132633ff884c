// SPDX-License-Identifier: MIT
// What slow clients cost the others, with default time limits.
#include <chrono>

#include "measured_server.hpp"
#include "measures.hpp"
#include "slow_clients.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned children = 50, slow = 1000;

struct Manner {
  std::optional<std::chrono::milliseconds> come_back;
  std::string_view name;
  bool must;
};

std::string describe(const LoadResult& result) {
  const auto at = [&](double share) {
    return decimal(std::chrono::duration<double, std::milli>(result.whole.at(share)).count(), 1);
  };
  return "p50 " + at(0.5) + ", p99 " + at(0.99) + ", longest " + at(1) + " ms of " +
         std::to_string(result.answered) + "; " + std::to_string(result.failed()) + " failed";
}

void measure(Report& report, const Manner& manner, std::chrono::seconds duration) {
  const MeasuredServer server("echo", pool(5, 5, 10, children));
  const SlowClients clients(server.address(), slow, manner.come_back);
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = 4;
  plan.duration = duration;
  LoadWatch watch;
  const LoadResult result = run_load(plan, watch);
  const bool good = result.failed() == 0 && result.whole.at(0.99) < 250ms;
  report.add(manner.must ? pass_if(good) : Verdict::information,
             "4 others, the slow ones " + std::string(manner.name),
             describe(result) + ", " + std::to_string(clients.ended()) + " slow ones ended",
             "p99 under 250 ms, 0 failed");
}

}  // namespace

void measure_slow_clients(Report& report, Extent extent) {
  const auto duration = extent.of(30s, 5s);
  measure(report, {.come_back = {}, .name = "do not come back", .must = true}, duration);
  measure(report, {.come_back = 1s, .name = "come back after a second", .must = true}, duration);
  measure(report, {.come_back = 0s, .name = "come back at once", .must = false}, duration);
}

}  // namespace brood::bench
