// SPDX-License-Identifier: MIT
// Connections a second against the bare loop.
#include <array>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "turns.hpp"

namespace brood::bench {
namespace {

constexpr unsigned children = 16;
constexpr double least_ratio = 0.97;

Ratios compare(const MeasuredServer& server, const BareServer& bare, unsigned clients, int rounds) {
  LoadPlan plan;
  plan.concurrency = clients;
  return compare(server.contestant(), bare.contestant(), plan, rounds);
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
    const BareServer bare("brood-bare", children);
    for (const unsigned clients : concurrencies) {
      const Ratios ratios = compare(server, bare, clients, extent.of(15, 7));
      const auto inform = [&](const std::string& what, const std::string& measured) {
        report.add(Verdict::information, name(clients) + ", one CPU, " + what, measured);
      };
      report.add(pass_if(ratios.ratio() >= least_ratio && ratios.failed == 0),
                 name(clients) + ", one CPU, ratio of connections a second of that CPU",
                 ratios.cpu_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
                 "at least 0.97 in the median, 0 failed");
      inform("the same a second of the clock", ratios.clock_second.describe(3));
      inform("ratio of the children's CPU time a connection", ratios.cpu.describe(3));
      inform("CPU time of the bare loop's children a connection", ratios.second_cpu.describe(1, " us"));
    }
  }
  const MeasuredServer server("echo", fixed_pool(children));
  const BareServer bare("brood-bare", children);
  for (const unsigned clients : concurrencies)
    report.add(Verdict::information, name(clients) + ", CPUs as they come, ratio",
               compare(server, bare, clients, extent.of(5, 3)).clock_second.describe(3));
}

}  // namespace brood::bench
