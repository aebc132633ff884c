// SPDX-License-Identifier: MIT
// The models with an event loop against the barest event loop there is: exchanges on connections that stay.
#include <array>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "turns.hpp"

namespace brood::bench {
namespace {

constexpr unsigned children = 2;
constexpr std::array<unsigned, 2> concurrencies = {64, 1000};

class Pair {
 public:
  explicit Pair(const std::string& name)
      : server_(name, fixed_pool(children) + Words{"--max-connections-per-child=2000"}),
        bare_("brood-bare-epoll", children) {}

  Ratios compare(unsigned connections, int rounds) const {
    LoadPlan plan;
    plan.concurrency = connections;
    plan.keep_alive = true;
    return bench::compare(server_.contestant(), bare_.contestant(), plan, rounds);
  }

 private:
  MeasuredServer server_;
  BareServer bare_;
};

std::string name(unsigned connections) { return std::to_string(connections) + " connections"; }

void measure(Report& report, Extent extent, const std::string& program, double least_ratio) {
  if (!is_built(program)) return report.skip(program, "not built");
  {
    const Pinned one_cpu(0);
    const Pair pair(program);
    for (const unsigned connections : concurrencies) {
      const Ratios ratios = pair.compare(connections, extent.of(15, 7));
      const auto inform = [&](const std::string& what, const std::string& measured) {
        report.add(Verdict::information, name(connections) + ", one CPU, " + what, measured);
      };
      report.add(pass_if(ratios.ratio() >= least_ratio && ratios.failed == 0),
                 name(connections) + ", one CPU, ratio of exchanges a second of that CPU",
                 ratios.cpu_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
                 "at least " + decimal(least_ratio, 2) + " in the median, 0 failed");
      inform("the same a second of the clock", ratios.clock_second.describe(3));
      inform("ratio of the children's CPU time an exchange", ratios.cpu.describe(3));
      inform("CPU time of the bare loop's children an exchange", ratios.second_cpu.describe(2, " us"));
      inform("exchanges a second", decimal(ratios.first_rate.median(), 0) + ", the bare loop " +
                                       decimal(ratios.second_rate.median(), 0));
    }
  }
  const Pair pair(program);
  for (const unsigned connections : concurrencies)
    report.add(Verdict::information, name(connections) + ", CPUs as they come, ratio",
               pair.compare(connections, extent.of(5, 3)).clock_second.describe(3));
}

}  // namespace

void measure_event(Report& report, Extent extent) { measure(report, extent, "event_echo", 0.90); }

void measure_async(Report& report, Extent extent) {
  measure(report, extent, "async_echo", 0.75);
  const std::string on_io_uring = "../io-uring/async_echo";
  if (!is_built(on_io_uring)) return report.skip("on io_uring", "not built");
  const Pinned one_cpu(0);
  const Pair pair(on_io_uring);
  for (const unsigned connections : concurrencies)
    report.add(Verdict::information, "on io_uring, " + name(connections) + ", one CPU, ratio",
               pair.compare(connections, extent.of(15, 7)).cpu_second.describe(3));
}

}  // namespace brood::bench
