// SPDX-License-Identifier: MIT
// Many services under one parent: what they cost while nobody comes, and that one is not another's business.
#include <algorithm>
#include <chrono>

#include "measured_brood.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

const Words echo = {"built-in = echo"};
const Words on_demand = {"start-servers = 0", "min-spare-servers = 0", "idle-timeout = 50ms"};

Words command(const std::string& program, const std::string& gets) {
  return {"command = " + program, "command-gets = " + gets};
}

std::vector<ServiceFile> numbered(unsigned number, const Words& lines) {
  std::vector<ServiceFile> services;
  for (unsigned i = 1; i <= number; ++i) services.push_back({"service" + std::to_string(i), lines});
  return services;
}

std::size_t children_of_all(MeasuredBrood& brood) { return children_of(brood.pid()).size(); }

// Cold: no child is there; warm: one is.
void measure_first_answer(Report& report, Extent extent, const std::string& what, const Words& lines) {
  MeasuredBrood brood({{"service", lines + on_demand}});
  const std::string address = brood.address_of("service");
  Samples cold, warm;
  for (int i = 0; i < extent.of(31, 11); ++i) {
    if (!wait_until([&] { return children_of_all(brood) == 0; }, 10s))
      throw std::runtime_error("idle children do not go");
    cold.add(ask_once(address));
    warm.add(ask_once(address));
  }
  report.add(what == "fork" ? pass_if(cold.median() - warm.median() < 1) : Verdict::information,
             "first answer where no child is, by " + what + "; and where one is",
             cold.describe(2, " ms") + "; " + warm.describe(2, " ms"),
             what == "fork" ? "less than 1 ms more in the median" : "");
}

}  // namespace

void measure_demand(Report& report, Extent extent) {
  constexpr unsigned number = 50;
  const std::chrono::seconds time = extent.of(30s, 5s);
  {
    MeasuredBrood brood(numbered(number, echo + on_demand));
    for (const auto& address : brood.server().addresses()) ask_once(address);  // not one that never worked
    if (!wait_until([&] { return children_of_all(brood) == 0; }, 10s))
      throw std::runtime_error("idle children do not go");
    pause_for(1s);
    const auto before = context_switches(brood.pid());
    pause_for(time);
    const auto switches = context_switches(brood.pid()) - before;
    report.add(
        pass_if(switches == 0 && children_of_all(brood) == 0 && brood.server().addresses().size() == number),
        std::to_string(brood.server().addresses().size()) + " services, in " + std::to_string(time.count()) +
            " s",
        std::to_string(switches) + " context switches, " + std::to_string(children_of_all(brood)) +
            " children",
        "0, and no child");
  }
  measure_first_answer(report, extent, "fork", echo);
  measure_first_answer(report, extent, "exec of a program of the kit", command(neighbour("echo"), "slot"));
}

void measure_storm(Report& report, Extent extent) {
  const std::chrono::seconds time = extent.of(60s, 15s);
  const Words pool = {"start-servers = 16", "min-spare-servers = 1", "max-spare-servers = 16",
                      "max-clients = 16"};
  const Words one = {"start-servers = 1", "min-spare-servers = 1"};
  const Pinned one_cpu(0);
  MeasuredBrood alone({{"good", echo + pool}});
  MeasuredBrood beside({{"bad", command("/bin/false", "listeners") + one}, {"good", echo + pool}});
  const auto began = Clock::now();
  LoadPlan plan;
  plan.concurrency = 32;
  const auto contestant = [](const MeasuredBrood& brood) {
    return Contestant{brood.address_of("good"), brood.children_of("good")};
  };
  Samples ratio;
  std::uint64_t failed = 0;
  while (Clock::now() - began < time) {
    const Ratios ratios = compare(contestant(beside), contestant(alone), plan, 5);
    ratio.add(ratios.ratio());
    failed += ratios.failed;
  }
  const auto starts = beside.service("bad").children_started;
  report.add(
      pass_if(ratio.median() >= 0.95 && failed == 0), "connections a second, to those of a service alone",
      ratio.describe(3) + ", " + std::to_string(failed) + " failed", "at least 0.95 in the median, 0 failed");
  report.add(pass_if(starts >= 2 && starts <= 8),
             "starts of a service that dies at once, in " + std::to_string(time.count()) + " s",
             std::to_string(starts), "at most 8");
}

void measure_reload_one(Report& report, Extent extent) {
  constexpr unsigned number = 20;
  MeasuredBrood brood(numbered(number, echo));
  unsigned others_changed = 0, stayed = 0;
  std::string refusals;
  Samples took;
  for (int i = 0; i < extent.of(10, 3); ++i) {
    const std::string chosen = "service" + std::to_string(i + 1);
    std::vector<std::vector<pid_t>> before;
    for (unsigned s = 1; s <= number; ++s) before.push_back(brood.children_of("service" + std::to_string(s)));
    const auto began = Clock::now();
    if (brood.control({"reload", chosen}) != 0) refusals += brood.control_output();
    took.add(Clock::now() - began);
    for (unsigned s = 1; s <= number; ++s) {
      const std::string name = "service" + std::to_string(s);
      const auto now = brood.children_of(name);
      if (name != chosen && now != before[s - 1]) ++others_changed;
      if (name != chosen) continue;
      for (const pid_t pid : now) stayed += std::ranges::count(before[s - 1], pid) > 0 ? 1 : 0;
    }
  }
  report.add(pass_if(others_changed == 0), "services of 19 whose pids changed with another's reload",
             std::to_string(others_changed), "0");
  report.add(pass_if(refusals.empty() && stayed == 0), "children of the reloaded one that stayed",
             std::to_string(stayed) + (refusals.empty() ? "" : ", refused: " + refusals), "0");
  report.add(Verdict::information, "broodctl reload SERVICE, until it says that it is done",
             took.describe(0, " ms"));
}

}  // namespace brood::bench
