// SPDX-License-Identifier: MIT
// How the number of children follows what happens: idle children are killed, a burst is over, and every
// connection ends in a crash.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "measured_server.hpp"
#include "measures.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

LoadPlan plan_of(const MeasuredServer& server, unsigned clients) {
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = clients;
  return plan;
}

unsigned not_leaving(const ServiceSnapshot& service) {
  return service.starting + service.idle + service.busy;
}

// The exit code of "broodctl status".
int verdict_of(const MeasuredServer& server) {
  Program broodctl({.words = {neighbour("broodctl"), "status", server.scoreboard()},
                    .output = "/dev/null",
                    .before_exec = {}});
  const auto status = broodctl.wait(10s);
  if (!status || !WIFEXITED(*status)) throw std::runtime_error("broodctl did not end");
  return WEXITSTATUS(*status);
}

}  // namespace

void measure_respawn(Report& report, Extent extent) {
  constexpr unsigned children = 5;
  const MeasuredServer server("echo", pool(children, children, children, 16));
  const auto all_ready = [&] {
    const ServiceSnapshot service = server.service();
    return service.idle == children && service.children() == children;
  };
  Samples took;
  for (int i = 0; i < extent.of(20, 5); ++i) {
    if (!wait_until(all_ready, 10s)) throw std::runtime_error("the children do not become ready");
    const std::uint64_t gone = server.service().children_gone;
    const auto killed = server.children();
    const auto began = Clock::now();
    for (const pid_t pid : killed) ::kill(pid, SIGKILL);
    const auto replaced = [&] { return server.service().children_gone == gone + children && all_ready(); };
    if (!wait_until(replaced, 30s, 200us)) throw std::runtime_error("the children are not replaced");
    took.add(Clock::now() - began);
  }
  report.add(pass_if(took.most() <= 100), "time from SIGKILL until 5 others are ready",
             took.describe(1, " ms"), "at most 100 ms");
}

void measure_light(Report& report, Extent extent) {
  constexpr unsigned burst = 10;
  const MeasuredServer server("echo", pool(1, 1, burst, 2 * burst) + Words{"--idle-timeout=2s"});
  LoadPlan at_once = plan_of(server, burst);
  at_once.connections = burst;
  at_once.hold = 1s;
  BackgroundLoad bursting(at_once);
  const bool grown = wait_until([&] { return server.service().busy == burst; }, 10s);
  const unsigned most = not_leaving(server.service());
  const LoadResult& burst_result = bursting.finish();
  LoadPlan one_at_a_time = plan_of(server, 1);
  one_at_a_time.hold = 130ms;
  // A client that connects again as soon as it has closed finds its former child still busy now and then:
  // that is two clients at a time, and with the spare server a third child.
  one_at_a_time.pause = 20ms;
  BackgroundLoad light(one_at_a_time);
  pause_for(5s);
  unsigned fewest_after = not_leaving(server.service()), most_after = fewest_after;
  for (int i = 0; i < extent.of(100, 30); ++i) {
    const unsigned now = not_leaving(server.service());
    fewest_after = std::min(fewest_after, now);
    most_after = std::max(most_after, now);
    pause_for(20ms);
  }
  const LoadResult& result = light.finish();
  report.add(pass_if(grown && fewest_after >= 1 && most_after <= 2),
             "children 5 s after a burst of 10, with one client",
             "from " + std::to_string(most) + " to " + std::to_string(fewest_after) + " … " +
                 std::to_string(most_after),
             "1 or 2");
  report.add(pass_if(burst_result.failed() + result.failed() == 0),
             "connections failed of " + std::to_string(burst_result.answered + result.answered),
             std::to_string(burst_result.failed() + result.failed()), "0");
}

void measure_crash(Report& report, Extent extent) {
  const MeasuredServer server("brood-bench-hold", pool(5, 5, 10, 64));
  LoadPlan plan = plan_of(server, 4);
  plan.payload = "crash\n";
  BackgroundLoad load(plan);
  pause_for(extent.of(10s, 3s));
  const ServiceSnapshot service = server.service();
  const int verdict = verdict_of(server);
  load.finish();
  report.add(pass_if(service.children_started <= 100), "children started while each connection is a crash",
             std::to_string(service.children_started) + ", of which " +
                 std::to_string(service.total.aborted) + " took a connection",
             "at most 100");
  report.add(pass_if(verdict > 0), "exit code of broodctl status", std::to_string(verdict), "not 0");
}

}  // namespace brood::bench
