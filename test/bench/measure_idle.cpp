// SPDX-License-Identifier: MIT
// What a server without clients costs: nothing runs, and little memory.
#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

struct Idler {
  unsigned number;
  std::unique_ptr<MeasuredServer> server;
  std::uint64_t parent_before = 0, children_before = 0;

  std::uint64_t parent() const { return context_switches(server->program().pid()); }
  std::uint64_t children() const {
    const auto pids = server->children();
    return std::accumulate(pids.begin(), pids.end(), std::uint64_t{0},
                           [](std::uint64_t sum, pid_t pid) { return sum + context_switches(pid); });
  }
};

void answer(const std::string& address, std::uint64_t connections) {
  LoadPlan plan;
  plan.address = address;
  plan.concurrency = 4;
  plan.connections = connections;
  LoadWatch watch;
  run_load(plan, watch);
}

Samples private_memory_of(const std::vector<pid_t>& pids) {
  Samples samples;
  for (const pid_t pid : pids)
    if (const auto size = private_memory(pid)) samples.add(static_cast<double>(*size));
  return samples;
}

}  // namespace

void measure_idle(Report& report, Extent extent) {
  const std::chrono::seconds time = extent.of(30s, 5s);
  std::vector<Idler> idlers;
  for (const unsigned number : {5U, 256U}) {
    idlers.push_back({number, std::make_unique<MeasuredServer>("echo", pool(number, 5, number, 2 * number))});
    answer(idlers.back().server->address(), 100);  // not an idle server that has never worked
  }
  const auto settled = [&] {
    return std::all_of(idlers.begin(), idlers.end(),
                       [](const Idler& i) { return i.server->service().idle == i.number; });
  };
  if (!wait_until(settled, 10s, 20ms)) throw std::runtime_error("the children do not become idle");
  pause_for(1s);
  for (auto& idler : idlers) {
    idler.parent_before = idler.parent();
    idler.children_before = idler.children();
  }
  pause_for(time);
  for (const auto& idler : idlers) {
    const auto parent = idler.parent() - idler.parent_before;
    const auto children = idler.children() - idler.children_before;
    report.add(pass_if(parent + children == 0),
               std::to_string(idler.number) + " children, context switches in " +
                   std::to_string(time.count()) + " s",
               "parent " + std::to_string(parent) + ", children " + std::to_string(children), "0");
  }
}

void measure_memory(Report& report, Extent /*extent*/) {
  constexpr unsigned children = 16;
  constexpr std::uint64_t connections = 10'000;
  const MeasuredServer server("echo", fixed_pool(children));
  const Samples fresh = private_memory_of(server.children());
  if (fresh.number() < children) return report.skip("all", "the kernel has no smaps_rollup");
  report.add(Verdict::information, "before the first connection", fresh.describe(0, " KiB"));
  answer(server.address(), connections);
  const Samples used = private_memory_of(server.children());
  report.add(pass_if(used.most() < 100), "after 10,000 connections", used.describe(0, " KiB"),
             "under 100 KiB");
  const BareServer bare("brood-bare", children);
  answer(bare.address(), connections);
  report.add(Verdict::information, "bare loop, after as many",
             private_memory_of(bare.children()).describe(0, " KiB"));
}

}  // namespace brood::bench
