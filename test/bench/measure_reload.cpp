// SPDX-License-Identifier: MIT
// SIGHUP under load: every child is replaced by one of the new generation, and no connection notices.
#include <chrono>
#include <csignal>

#include "measured_server.hpp"
#include "measures.hpp"
#include "scoreboard/report/verdict.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr unsigned children = 16;
constexpr unsigned clients = 32;
constexpr auto interval = 500ms;

struct Reloads {
  Samples took;
  int unfinished = 0;  // not done before the next one
  std::uint64_t snapshots = 0, wrong_sums = 0, torn = 0;
};

Reloads reload_again_and_again(MeasuredServer& server, int times) {
  Reloads reloads;
  const auto began = Clock::now();
  std::uint32_t generation = server.service().generation;
  for (int i = 0; i < times; ++i) {
    ++generation;
    const auto sent = Clock::now();
    server.program().signal(SIGHUP);
    const auto replaced = [&] {
      const ServiceSnapshot service = server.service();
      ++reloads.snapshots;
      if (any_torn(service))
        ++reloads.torn;
      else if (!connections_add_up(service))
        ++reloads.wrong_sums;
      return all_of_generation(service, generation);
    };
    const auto next = began + (i + 1) * interval;
    if (wait_until(replaced, next - Clock::now()))
      reloads.took.add(Clock::now() - sent);
    else
      ++reloads.unfinished;
    if (next > Clock::now()) pause_for(next - Clock::now());
  }
  return reloads;
}

}  // namespace

void measure_reload(Report& report, Extent extent) {
  const int times = extent.of(40, 10);
  // Room for the replacements: each is ready before its predecessor leaves.
  MeasuredServer server("echo", pool(children, 1, children, 2 * children));
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = clients;
  BackgroundLoad load(plan);
  const Reloads reloads = reload_again_and_again(server, times);
  const LoadResult& result = load.finish();

  report.add(pass_if(result.failed() == 0),
             "connections failed of " + std::to_string(result.answered + result.failed()),
             result.describe_failures(), "none");
  report.add(pass_if(reloads.unfinished == 0), "generations fully replaced before the next",
             std::to_string(reloads.took.number()) + " of " + std::to_string(times) + ", in " +
                 reloads.took.describe(0, " ms"),
             "all");
  report.add(pass_if(reloads.wrong_sums == 0), "accepted = finished + aborted + open, under load",
             "wrong in " + std::to_string(reloads.wrong_sums) + " of " + std::to_string(reloads.snapshots) +
                 " snapshots (" + std::to_string(reloads.torn) + " torn)",
             "0");
  const auto [end, exact] = counted_after(result, server);
  report.add(pass_if(exact), "at the end",
             "accepted " + std::to_string(end.total.accepted) + ", finished " +
                 std::to_string(end.total.finished) + ", aborted " + std::to_string(end.total.aborted) +
                 ", open " + std::to_string(end.open_connections),
             "what the clients counted, " + std::to_string(result.answered));
}

}  // namespace brood::bench
