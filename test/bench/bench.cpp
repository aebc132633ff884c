// SPDX-License-Identifier: MIT
// The bench: measures the kit against what it promises.
//
//   brood-bench [--quick] [MEASURE ...]     all measures, or those that are named
//
// Exit code: 0 all is as it must be, 1 something is not, 64 wrong usage.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "measures.hpp"
#include "program.hpp"
#include "waiting.hpp"

namespace {

using namespace brood::bench;

struct Measure {
  std::string_view name;
  std::string_view what;
  void (*run)(Report&, Extent);
};

constexpr std::array measures = {
    Measure{"throughput", "connections a second against the bare loop, 16 children", measure_throughput},
    Measure{"syscalls", "system calls of a child for each connection", measure_syscalls},
    Measure{"idle", "context switches of a server without clients", measure_idle},
    Measure{"memory", "private pages of an idle child", measure_memory},
    Measure{"spike", "200 connections at once, each held 1 s, on 5 children", measure_spike},
    Measure{"shrink", "back to max-spare-servers after that spike, under light load", measure_shrink},
    Measure{"light", "6 connections a second after a burst of 10, with idle-timeout = 2s", measure_light},
    Measure{"slow-clients", "1,000 clients of a byte a second on 50 children", measure_slow_clients},
    Measure{"rules", "who comes in, by 10,000 networks", measure_rules},
    Measure{"respawn", "kill -9 of 5 idle children", measure_respawn},
    Measure{"crash", "a crash in every connection", measure_crash},
    Measure{"reload", "SIGHUP every 0.5 s under load", measure_reload},
    Measure{"upgrade", "SIGUSR2 every second under load, to good programs and bad ones", measure_upgrade},
    Measure{"stop", "SIGTERM under load", measure_stop},
    Measure{"inherit", "a start on an inherited listener, under load", measure_inherit},
    Measure{"stopped", "all children SIGSTOPped under load", measure_stopped},
    Measure{"forkfail", "fork() fails, with max-requests-per-child = 100, under load", measure_forkfail},
    Measure{"kill", "kill -9 of random children under load", measure_kill},
    Measure{"event", "keep-alive echo of EventServer against a bare epoll loop", measure_event},
    Measure{"async", "keep-alive echo of AsyncServer against a bare epoll loop", measure_async},
    Measure{"threads", "8 threads in 2 children against 16 children", measure_threads},
    Measure{"patterns", "the patterns of brood_patterns(7) against a process for each connection",
            measure_patterns},
    Measure{"httpd", "a file of 1 KiB by HTTP against nginx", measure_httpd},
    Measure{"proxy", "the example proxy against tinyproxy", measure_proxy},
    Measure{"many", "10,000 idle connections on 2 children", measure_many},
    Measure{"stress", "1,000 connections without pause, SIGHUP every second", measure_stress},
    Measure{"demand", "50 services on demand, without clients; and the first client", measure_demand},
    Measure{"storm", "a service that dies at once beside one under load", measure_storm},
    Measure{"reload-one", "one of 20 services is reloaded", measure_reload_one},
    Measure{"status", "the status listener while 1,000 children are busy", measure_status},
    Measure{"snapshots", "snapshots read under load", measure_snapshots},
    Measure{"simulate", "broodctl simulate against live servers: spike, steady, shrink", measure_simulate},
    Measure{"advise", "broodctl advise against what clients of a live server see", measure_advise},
    Measure{"orphans", "kill -9 of a parent with services of each kind", measure_orphans},
};

int usage() {
  std::fputs("usage: brood-bench [--quick] [MEASURE ...]\n", stderr);
  for (const auto& measure : measures)
    std::fprintf(stderr, "  %-12s %s\n", measure.name.data(), measure.what.data());
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  Extent extent;
  std::vector<std::string_view> names(argv + 1, argv + argc);
  extent.quick = std::erase(names, "--quick") > 0;
  for (const auto name : names)
    if (std::none_of(measures.begin(), measures.end(),
                     [&](const Measure& measure) { return measure.name == name; }))
      return usage();

  catch_interrupts();
  adopt_orphans();
  Report report;
  for (const auto& measure : measures) {
    if (!names.empty() && std::find(names.begin(), names.end(), measure.name) == names.end()) continue;
    report.begin(measure.name, measure.what);
    try {
      measure.run(report, extent);
    } catch (const Interrupted&) {
      return 1;
    } catch (const std::exception& error) {
      report.add(Verdict::fail, "ended by an error", error.what());
    }
  }
  std::printf("\n%u failed\n", report.failed());
  return report.failed() > 0 ? 1 : 0;
}
