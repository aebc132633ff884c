// SPDX-License-Identifier: MIT
// Readers of the scoreboard take no lock. Whatever the children do in that moment, what is read adds up.
#include <chrono>

#include "measured_server.hpp"
#include "measures.hpp"
#include "scoreboard/report/verdict.hpp"

namespace brood::bench {
namespace {

constexpr unsigned children = 16;
constexpr unsigned clients = 32;
constexpr unsigned connections_of_a_child = 500;

bool children_add_up(const ServiceSnapshot& service) {
  return slots_add_up(service) && service.children() <= service.max_clients &&
         service.children_started == service.children_gone + service.children();
}

bool endings_add_up(const FiguresSnapshot& total) {
  return total.failed + total.peers_gone + total.timed_out + total.probes <= total.finished;
}

// No total ever goes down.
bool follows(const ServiceSnapshot& service, const ServiceSnapshot& former) {
  return service.total.accepted >= former.total.accepted && service.total.finished >= former.total.finished &&
         service.total.bytes_read >= former.total.bytes_read &&
         service.children_started >= former.children_started &&
         service.children_gone >= former.children_gone && service.generation >= former.generation;
}

struct Readings {
  std::uint64_t connections = 0, slots = 0, endings = 0, backwards = 0, torn = 0;  // in which these are wrong
  std::uint64_t wrong() const { return connections + slots + endings + backwards + torn; }
};

Readings read_again_and_again(const MeasuredServer& server, std::uint64_t times) {
  Readings wrong;
  ServiceSnapshot former = server.service();
  for (std::uint64_t i = 0; i < times; ++i) {
    ServiceSnapshot service = server.service();
    wrong.torn += any_torn(service) ? 1 : 0;
    wrong.connections += connections_add_up(service) ? 0 : 1;
    wrong.slots += children_add_up(service) ? 0 : 1;
    wrong.endings += endings_add_up(service.total) ? 0 : 1;
    wrong.backwards += follows(service, former) ? 0 : 1;
    former = std::move(service);
  }
  return wrong;
}

}  // namespace

void measure_snapshots(Report& report, Extent extent) {
  const std::uint64_t times = extent.of<std::uint64_t>(1'000'000, 20'000);
  MeasuredServer server("echo",
                        pool(children, 1, children, 2 * children) +
                            Words{"--max-requests-per-child=" + std::to_string(connections_of_a_child)});
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = clients;
  BackgroundLoad load(plan);
  const auto began = std::chrono::steady_clock::now();
  const Readings wrong = read_again_and_again(server, times);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
  const LoadResult& result = load.finish();

  report.add(pass_if(wrong.wrong() == 0), "inconsistent of " + std::to_string(times),
             "connections " + std::to_string(wrong.connections) + ", slots " + std::to_string(wrong.slots) +
                 ", endings " + std::to_string(wrong.endings) + ", backwards " +
                 std::to_string(wrong.backwards) + ", torn rows " + std::to_string(wrong.torn),
             "0 of each");
  report.add(Verdict::information, "a snapshot, with its wait for a processor",
             decimal(took.count() / static_cast<double>(times), 0) + " us");
  report.add(pass_if(result.failed() == 0),
             "connections failed of " + std::to_string(result.answered + result.failed()) +
                 ", of children that were replaced each " + std::to_string(connections_of_a_child),
             result.describe_failures(), "none");
}

}  // namespace brood::bench
