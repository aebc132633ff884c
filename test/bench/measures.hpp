// SPDX-License-Identifier: MIT
// The measures of the bench. Each starts its own servers, says what it found, and leaves nothing behind.
#pragma once

#include "report.hpp"

namespace brood::bench {

struct Extent {
  bool quick = false;  // shorter, for a first impression

  template <typename T>
  T of(T usual, T when_quick) const {
    return quick ? when_quick : usual;
  }
};

void measure_throughput(Report& report, Extent extent);
void measure_syscalls(Report& report, Extent extent);
void measure_idle(Report& report, Extent extent);
void measure_memory(Report& report, Extent extent);
void measure_spike(Report& report, Extent extent);
void measure_shrink(Report& report, Extent extent);
void measure_light(Report& report, Extent extent);
void measure_slow_clients(Report& report, Extent extent);
void measure_rules(Report& report, Extent extent);
void measure_respawn(Report& report, Extent extent);
void measure_crash(Report& report, Extent extent);
void measure_reload(Report& report, Extent extent);
void measure_upgrade(Report& report, Extent extent);
void measure_stop(Report& report, Extent extent);
void measure_inherit(Report& report, Extent extent);
void measure_stopped(Report& report, Extent extent);
void measure_forkfail(Report& report, Extent extent);
void measure_kill(Report& report, Extent extent);
void measure_event(Report& report, Extent extent);
void measure_async(Report& report, Extent extent);
void measure_threads(Report& report, Extent extent);
void measure_patterns(Report& report, Extent extent);
void measure_httpd(Report& report, Extent extent);
void measure_proxy(Report& report, Extent extent);
void measure_many(Report& report, Extent extent);
void measure_stress(Report& report, Extent extent);
void measure_demand(Report& report, Extent extent);
void measure_storm(Report& report, Extent extent);
void measure_reload_one(Report& report, Extent extent);
void measure_status(Report& report, Extent extent);
void measure_advise(Report& report, Extent extent);
void measure_snapshots(Report& report, Extent extent);
void measure_simulate(Report& report, Extent extent);
void measure_orphans(Report& report, Extent extent);

}  // namespace brood::bench
