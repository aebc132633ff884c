// SPDX-License-Identifier: MIT
// A spike: many connections at once on few children. And the way back.
#include <algorithm>
#include <chrono>
#include <memory>

#include "measured_server.hpp"
#include "measures.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned start = 5, min_spare = 5, max_spare = 10, max_clients = 256;
constexpr unsigned connections = 200;
constexpr std::chrono::nanoseconds hold = 1s;

std::unique_ptr<MeasuredServer> start_server() {
  Words settings = pool(start, min_spare, max_spare, max_clients);
  settings.push_back("--hold=1s");
  return std::make_unique<MeasuredServer>("brood-bench-hold", settings);
}

LoadPlan spike_on(const MeasuredServer& server) {
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = connections;
  plan.connections = connections;
  return plan;
}

unsigned not_leaving(const ServiceSnapshot& service) { return service.children() - service.leaving; }

}  // namespace

// The handler answers after the hold: what an answer takes beyond it is the time until a child took the
// connection.
void measure_spike(Report& report, Extent extent) {
  Samples last;
  std::uint64_t failed = 0;
  for (int i = 0; i < extent.of(10, 3); ++i) {
    const auto server = start_server();
    LoadWatch watch;
    const LoadResult result = run_load(spike_on(*server), watch);
    failed += result.failed();
    last.add(result.first_byte.longest() - hold);
  }
  report.add(pass_if(last.most() < 100 && failed == 0), "last first-byte beyond the hold",
             last.describe(1, " ms") + ", " + std::to_string(failed) + " failed", "under 100 ms, 0 failed");
}

void measure_shrink(Report& report, Extent /*extent*/) {
  const auto server = start_server();
  BackgroundLoad spike(spike_on(*server));
  LoadPlan light = spike_on(*server);
  light.concurrency = 3;
  light.connections = 0;
  BackgroundLoad light_load(light);
  if (!wait_until([&] { return spike.answered() == connections; }, 20s))
    throw std::runtime_error("no answers");
  const LoadResult& spiked = spike.finish();

  const auto began = std::chrono::steady_clock::now();
  unsigned most = 0, fewest = max_clients, fewest_spares = max_clients;
  const auto is_back = [&] {
    const ServiceSnapshot service = server->service();
    most = std::max(most, not_leaving(service));
    fewest = std::min(fewest, not_leaving(service));
    fewest_spares = std::min(fewest_spares, service.idle + service.starting);
    return service.idle <= max_spare && service.leaving == 0;
  };
  const bool back = wait_until(is_back, 60s, 5ms);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  // And it stays there.
  unsigned most_spares_after = 0;
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(is_back());
    most_spares_after = std::max(most_spares_after, server->service().idle);
    pause_for(20ms);
  }
  const LoadResult& lit = light_load.finish();

  report.add(pass_if(back && most_spares_after <= max_spare), "back within max-spare-servers",
             (back ? "yes, after " + decimal(took.count(), 1) + " s" : std::string("not in 60 s")) +
                 ", from " + std::to_string(most) + " children; " + std::to_string(most_spares_after) +
                 " spares at most in 2 s after",
             "at most 10 spares");
  report.add(pass_if(fewest >= min_spare), "fewest children on the way",
             std::to_string(fewest) + ", spares " + std::to_string(fewest_spares),
             "never fewer than min-spare-servers (5) children");
  report.add(pass_if(spiked.failed() + lit.failed() == 0),
             "connections failed of " + std::to_string(spiked.answered + lit.answered),
             std::to_string(spiked.failed() + lit.failed()), "0");
}

}  // namespace brood::bench
