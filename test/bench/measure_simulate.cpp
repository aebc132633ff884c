// SPDX-License-Identifier: MIT
// The simulation against live servers: the load is put on the server and recorded, then the record is
// simulated with the same settings. On a busy machine clients come late, and children have connections for
// longer than they hold them: what came is compared, not what was planned.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

#include "measured_server.hpp"
#include "measures.hpp"
#include "replay.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds interval = 250ms;
constexpr double mean_service = 0.1;

struct Phase {
  double rate, seconds;
};
struct Case {
  std::string name;
  Words pool;
  std::vector<Phase> phases;
};

// Independent clients, exponential times.
std::vector<test::ReplayedClient> clients_of(const std::vector<Phase>& phases) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  std::exponential_distribution<double> service(1 / mean_service);
  std::vector<test::ReplayedClient> clients;
  const auto in_milliseconds = [](double seconds) { return milliseconds(std::lround(seconds * 1000)); };
  double begin = 0;
  for (const auto& [rate, seconds] : phases) {
    std::exponential_distribution<double> gap(rate);
    for (double at = gap(random); at < seconds; at += gap(random))
      clients.push_back({in_milliseconds(begin + at), in_milliseconds(service(random))});
    begin += seconds;
  }
  return clients;
}

milliseconds length_of(const std::vector<Phase>& phases) {
  double seconds = 0;
  for (const auto& phase : phases) seconds += phase.seconds;
  return milliseconds(std::lround(seconds * 1000));
}

struct Seen {
  std::vector<unsigned> children;  // at the end of each interval
  double p95 = 0;                  // of the waits, seconds
  unsigned failed = 0;
};

double p95_of(std::vector<std::chrono::nanoseconds> waits) {
  if (waits.empty()) return 0;
  std::sort(waits.begin(), waits.end());
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(waits.size())));
  return std::chrono::duration<double>(waits[rank - 1]).count();
}

// How much longer children have had connections than they have held them, on average.
std::chrono::nanoseconds overhead(const ServiceSnapshot& service, const test::Replayed& result) {
  std::chrono::nanoseconds held{0};
  for (const auto& answer : result.answers) held += answer.held;
  if (service.total.finished == 0 || result.answers.empty()) throw std::runtime_error("no answers");
  return service.total.duration / service.total.finished - held / result.answers.size();
}

Seen run_live(const Case& what, std::string& record) {
  const MeasuredServer server("brood-bench-hold", what.pool);
  Seen seen;
  test::Replayed result = test::replay(server.address(), clients_of(what.phases),
                                       {interval, length_of(what.phases), [&](milliseconds /*at*/) {
                                          seen.children.push_back(server.service().children());
                                        }});
  for (auto& answer : result.answers) answer.held = std::chrono::nanoseconds(std::stoll(answer.text));
  const auto more = overhead(server.service(), result);
  std::vector<std::chrono::nanoseconds> waits;
  for (const auto& answer : result.answers)
    waits.push_back(std::max<std::chrono::nanoseconds>(answer.took - answer.held - more, 0ns));
  seen.p95 = p95_of(std::move(waits));
  seen.failed = result.failed;
  record = test::as_arrivals(result, more);
  return seen;
}

Seen run_simulated(const Case& what, const std::string& record) {
  const TemporaryDirectory directory;
  const std::string arrivals = directory / "arrivals", output = directory / "output";
  std::ofstream(arrivals) << record;
  std::string command = neighbour("broodctl") + " simulate --json --arrivals=" + arrivals +
                        " --step=" + std::to_string(interval.count()) + "ms";
  for (const auto& word : what.pool) command += ' ' + word;
  if (std::system((command + " >" + output).c_str()) != 0) throw std::runtime_error("failed: " + command);
  const auto answer = nlohmann::json::parse(read_file(output));
  Seen seen{.children = {}, .p95 = answer["wait_p95_seconds"], .failed = answer["refused"]};
  for (const auto& step : answer["steps"]) seen.children.push_back(step["children"]);
  return seen;
}

// The mean difference in children, by the mean number of children.
double difference(const std::vector<unsigned>& live, const std::vector<unsigned>& simulated) {
  const std::size_t number = std::min(live.size(), simulated.size());
  double apart = 0, all = 0;
  for (std::size_t i = 0; i < number; ++i) {
    apart += std::abs(static_cast<double>(live[i]) - static_cast<double>(simulated[i]));
    all += live[i];
  }
  return all > 0 ? apart / all : 1;
}

}  // namespace

void measure_simulate(Report& report, Extent extent) {
  const double length = extent.of(1.0, 0.5);
  const Case cases[] = {
      {"spike", pool(5, 5, 10, 20), {{10, 5 * length}, {250, 5 * length}, {10, 20 * length}}},
      {"steady", pool(2, 1, 2, 12), {{90, 60 * length}}},
      {"shrink", pool(5, 5, 10, 40), {{380, 10 * length}, {20, 30 * length}}},
  };
  for (const auto& what : cases) {
    std::string record;
    const Seen live = run_live(what, record), simulated = run_simulated(what, record);
    const double apart = difference(live.children, simulated.children);
    const double waits = live.p95 > 0 ? simulated.p95 / live.p95 - 1 : 1;
    report.add(pass_if(apart <= 0.1), what.name + ": children at each quarter of a second",
               decimal(apart * 100, 1) + " % apart, " +
                   std::to_string(*std::max_element(live.children.begin(), live.children.end())) + " / " +
                   std::to_string(*std::max_element(simulated.children.begin(), simulated.children.end())) +
                   " at most (live / simulated)",
               "within 10 %");
    report.add(pass_if(std::abs(waits) <= 0.2), what.name + ": p95 of the time in the queue",
               decimal(live.p95 * 1000, 0) + " / " + decimal(simulated.p95 * 1000, 0) + " ms, " +
                   decimal(waits * 100, 1) + " %",
               "within 20 %");
    report.add(pass_if(live.failed + simulated.failed == 0),
               what.name + ": failed connections of " + std::to_string(std::ranges::count(record, '\n')),
               std::to_string(live.failed + simulated.failed), "0");
  }
}

}  // namespace brood::bench
