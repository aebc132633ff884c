// SPDX-License-Identifier: MIT
// Threads against processes: 16 handlers either way, which wait for something else most of the time.
#include <array>
#include <chrono>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "turns.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

double sum(const std::vector<pid_t>& pids, std::optional<std::uint64_t> (*memory)(pid_t)) {
  double sum = 0;
  for (const pid_t pid : pids) sum += static_cast<double>(memory(pid).value_or(0));
  return sum;
}

void tell_memory(Report& report, const std::string& what, const MeasuredServer& server) {
  const auto children = server.children();
  report.add(Verdict::information, what + ", memory of all children",
             decimal(sum(children, private_memory), 0) + " KiB private, " +
                 decimal(sum(children, proportional_memory), 0) + " KiB with their share of what is common");
}

}  // namespace

void measure_threads(Report& report, Extent extent) {
  const MeasuredServer threads("brood-bench-sleeper", fixed_pool(2) + Words{"--threads-per-child=8"});
  const MeasuredServer processes("brood-bench-sleeper", fixed_pool(16));
  for (const unsigned clients : std::array{16U, 64U}) {
    LoadPlan plan;
    plan.concurrency = clients;
    plan.duration = 500ms;
    const Ratios ratios = compare(threads.contestant(), processes.contestant(), plan, extent.of(10, 3));
    const double ratio = ratios.clock_second.median();
    report.add(pass_if(ratio >= 0.95 && ratio <= 1.05 && ratios.failed == 0),
               std::to_string(clients) + " clients, ratio of connections a second",
               ratios.clock_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
               "0.95 to 1.05 in the median, 0 failed");
    report.add(
        Verdict::information, std::to_string(clients) + " clients, connections a second",
        decimal(ratios.first_rate.median(), 0) + ", processes " + decimal(ratios.second_rate.median(), 0));
    report.add(Verdict::information,
               std::to_string(clients) + " clients, ratio of the children's CPU time a connection",
               ratios.cpu.describe(3));
  }
  tell_memory(report, "2 children of 8 threads", threads);
  tell_memory(report, "16 children of one thread", processes);
}

}  // namespace brood::bench
