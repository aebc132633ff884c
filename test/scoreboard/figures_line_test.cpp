// SPDX-License-Identifier: MIT
// The line of figures in the log of a service: what it tells of a snapshot and of an earlier one.
#include <doctest/doctest.h>

#include <functional>
#include <string>

#include "scoreboard/report/figures_line.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

ServiceSnapshot web() {
  ServiceSnapshot service;
  service.name = "web";
  service.busy = 3;
  service.idle = 7;
  service.most_waiting = 4;
  service.total.accepted = 1000;
  service.total.finished = 990;
  service.total.failed = 8;
  service.total.timed_out = 6;
  service.total.aborted = 5;
  service.total.refused_proxy = 1;
  service.total.latency[10] = 990;
  service.refused = {1, 2, 3, 4};
  service.waits[0] = 1000;
  service.children_started = 20;
  service.children_gone = 10;
  service.children_failed = 2;
  return service;
}

}  // namespace

TEST_CASE("a line has what is now, and what was counted since the last one") {
  const ServiceSnapshot before = web();
  struct Row {
    std::function<void(ServiceSnapshot&)> change;
    std::chrono::nanoseconds time;
    std::string line;
  };
  const Row rows[] = {
      {[](auto&) {}, 10s,
       "service web: figures: 3 busy, 7 idle, 0 starting, 0 leaving; 0 waiting (most 4); in 10s: 0 "
       "accepted, "
       "0 ended, 0 failed, 0 timed out, 0 aborted, 0 refused; 95% waited -, 95% took -; children: 0 started, "
       "0 ended, 0 failed"},
      {[](auto& service) {
         service.busy = 1;
         service.idle = 8;
         service.starting = 1;
         service.leaving = 2;
         service.waiting = 3;
         service.most_waiting = 9;
         service.total.accepted += 1203;
         service.total.finished += 1201;
         service.total.failed += 2;
         service.total.timed_out += 1;
         service.total.aborted += 4;
         service.total.refused_proxy += 2;
         service.total.latency[10] += 1100;
         service.total.latency[12] += 101;
         service.refused = {1, 3, 3, 5};
         service.waits[0] += 1150;
         service.waits[3] += 53;
         service.children_started += 3;
         service.children_gone += 2;
         service.children_failed += 1;
       },
       60s,
       "service web: figures: 1 busy, 8 idle, 1 starting, 2 leaving; 3 waiting (most 9); in 1m: 1203 "
       "accepted, "
       "1205 ended, 2 failed, 1 timed out, 4 aborted, 4 refused; 95% waited under 8ms, 95% took under "
       "4.1ms; "
       "children: 3 started, 2 ended, 1 failed"},
      {[](auto& service) {
         service.waits[0] += 90;
         service.waits[1] += 10;
         service.total.latency[39] += 1;
       },
       1s,
       "service web: figures: 3 busy, 7 idle, 0 starting, 0 leaving; 0 waiting (most 4); in 1s: 0 "
       "accepted, "
       "0 ended, 0 failed, 0 timed out, 0 aborted, 0 refused; 95% waited under 16ms, 95% took over 3 days; "
       "children: 0 started, 0 ended, 0 failed"},
      // The last step has no upper end. A figure that was read a moment too early does not count backwards.
      {[](auto& service) {
         service.name = "a\nb";
         service.waits[16] += 10;
         service.waits[0] -= 1;
         service.total.accepted -= 1;
       },
       1s,
       "service a\\x0ab: figures: 3 busy, 7 idle, 0 starting, 0 leaving; 0 waiting (most 4); in 1s: 0 "
       "accepted, 0 ended, 0 failed, 0 timed out, 0 aborted, 0 refused; 95% waited over 4m22s, 95% took -; "
       "children: 0 started, 0 ended, 0 failed"},
  };
  for (const Row& row : rows) {
    ServiceSnapshot now = before;
    row.change(now);
    CHECK(figures_line(before, now, row.time) == row.line);
  }
}

TEST_CASE("a line claims nothing about connections that the program does not report") {
  ServiceSnapshot silent = web();
  silent.counts_connections = false;
  silent.busy = 0;
  CHECK(figures_line(silent, silent, 10s) ==
        "service web: figures: 7 running, 0 starting, 0 leaving; 0 waiting (most 4); in 10s; children: 0 "
        "started, "
        "0 ended, 0 failed");
}
