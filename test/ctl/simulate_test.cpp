// SPDX-License-Identifier: MIT
// broodctl simulate: its parts, and whole services in virtual time.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "brood/error.hpp"
#include "ctl/advise/queueing.hpp"
#include "ctl/simulate/chart.hpp"
#include "ctl/simulate/options.hpp"
#include "ctl/simulate/processors.hpp"
#include "ctl/simulate/report.hpp"
#include "ctl/simulate/units.hpp"

using namespace brood;
using namespace brood::ctl;
using namespace std::chrono_literals;

namespace {

Load described(const std::string& intervals, const ServiceTimes& times) {
  Random random(5);  // NOLINT(cert-msc51-cpp): the same each time
  return load_of(parse_intervals(intervals), times, random);
}

SimulationResult simulated(const Scenario& scenario, const Load& load, std::chrono::nanoseconds step = 1s) {
  return run_simulation(scenario, load, step, 1);
}

// So many connections at once, after a second.
Load burst(unsigned connections, std::chrono::nanoseconds service, std::chrono::nanoseconds length) {
  Load load{.arrivals = std::vector<Arrival>(connections, {1s, service}), .length = length};
  return load;
}

const Limits usual_limits{
    .start_servers = 5, .min_spare_servers = 5, .max_spare_servers = 10, .max_clients = 50};

std::string mistake_of(const auto& what) {
  try {
    what();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("simulate: times and shares as they are written") {
  const std::map<std::string, double> times = {{"200us", 0.0002}, {"1.5ms", 0.0015}, {"2s", 2},
                                               {"0", 0},          {"3m", 180},       {"1h", 3600}};
  for (const auto& [written, seconds] : times) {
    CAPTURE(written);
    CHECK(parse_seconds(written) == doctest::Approx(seconds));
  }
  for (const char* wrong : {"", "5", "ms", "-1s", "1 s", "nans", "25h", "1e99s"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_seconds(wrong), Error);
  }
  CHECK(share_type().read("2.5%") == doctest::Approx(0.025));
  for (const char* wrong : {"2", "101%", "-1%", "%", "x%"}) CHECK_THROWS_AS(share_type().read(wrong), Error);
}

TEST_CASE("simulate: a load that is described") {
  const Load load =
      described("100/s for 10s, 0/s for 5s, 1000/s for 500ms", {.mean = 0.02, .variability = 1});
  CHECK(load.length == 15500ms);
  const auto until = [&](std::chrono::nanoseconds time) {
    return std::ranges::count_if(load.arrivals, [&](const Arrival& arrival) { return arrival.at < time; });
  };
  CHECK(std::abs(until(10s) - 1000) < 100);
  CHECK(until(15s) == until(10s));
  CHECK(std::abs(static_cast<long>(load.arrivals.size()) - until(15s) - 500) < 75);
  CHECK(std::ranges::is_sorted(load.arrivals, {}, &Arrival::at));
  for (const char* wrong :
       {"", "10", "10/s", "10/s for", "-1/s for 3s", "10/s for 3", "x/s for 1s", "1/s for 1s,"})
    CHECK(mistake_of([&] { parse_intervals(wrong); }) != "");
  CHECK(mentions(mistake_of([] { parse_intervals("100000/s for 1h"); }), "simulate a shorter time"));
}

TEST_CASE("simulate: service times have their mean and variability") {
  for (const double variability : {0.0, 0.5, 1.0, 4.0}) {
    const Load load = described("1000/s for 100s", {.mean = 0.02, .variability = variability});
    double sum = 0, squares = 0;
    for (const auto& arrival : load.arrivals) {
      const double seconds = std::chrono::duration<double>(arrival.service).count();
      sum += seconds;
      squares += seconds * seconds;
    }
    const auto number = static_cast<double>(load.arrivals.size());
    CAPTURE(variability);
    CHECK(sum / number == doctest::Approx(0.02).epsilon(0.03));
    CHECK(std::abs(squares / number / (sum / number * sum / number) - 1 - variability) <=
          0.1 * variability + 1e-6);
  }
}

TEST_CASE("simulate: a load from a file") {
  const Load load = read_load("# arrival service\n0.5 0.1\n\n0.25\t2  # the first\n", "load");
  REQUIRE(load.arrivals.size() == 2);
  CHECK(load.arrivals[0].at == 250ms);
  CHECK(load.arrivals[0].service == 2s);
  CHECK(load.length == 2250ms);
  for (const char* wrong : {"1", "1 2 3", "1 x", "-1 2", "1,2", "nan 1", "1 inf"})
    CHECK(mentions(mistake_of([&] { read_load(std::string("0 0\n") + wrong + "\n", "load"); }), "load:2: "));
  CHECK(mentions(mistake_of([] { read_load("# none\n", "load"); }), "there is no connection in it"));
}

TEST_CASE("simulate: the load of a live service is that of its last ten minutes") {
  ServiceSnapshot service;
  service.history.resize(4);
  service.history[1] = {.finished = 90, .aborted = 10, .duration = 4500ms};
  service.history[3] = {.finished = 50, .duration = 5s};
  service.total.latency[16] = 140;
  Random random(5);  // NOLINT(cert-msc51-cpp)
  const Load load = load_of(service, random);
  CHECK(load.length == 3s);
  CHECK(load.arrivals.size() == 150);
  CHECK(std::ranges::count_if(load.arrivals, [](const Arrival& one) { return one.at < 1s; }) == 100);
  service.history[3] = {};
  CHECK(mentions(mistake_of([&] { load_of(service, random); }), "there are 90"));
}

TEST_CASE("simulate: processors are shared evenly") {
  Processors processors(2);
  CHECK(processors.next_end() == never);
  const Time begin{1s};
  for (std::uint32_t child = 0; child < 4; ++child) processors.begin(begin, child, 100ms);
  // Four share two: 100 ms of work take 200.
  CHECK(std::chrono::abs(processors.next_end() - (begin + 200ms)) < 1us);
  CHECK(processors.end(begin + 200ms) < 4);
  processors.end(begin + 200ms);
  processors.end(begin + 200ms);
  processors.end(begin + 200ms);
  CHECK(processors.next_end() == never);
  processors.begin(begin + 1s, 7, 30ms);
  CHECK(std::chrono::abs(processors.next_end() - (begin + 1030ms)) < 1us);
  CHECK(processors.end(begin + 1030ms) == 7);
}

TEST_CASE("simulate: without a load there are start-servers, and the parent sleeps") {
  const SimulationResult result =
      simulated({.limits = usual_limits, .start_time = 1ms}, {.arrivals = {}, .length = 60s});
  CHECK(result.forks == 5);
  CHECK(result.looks < 20);
  REQUIRE(result.steps.size() == 60);
  for (const auto& step : result.steps) {
    CHECK(step.children == 5);
    CHECK(step.spare == 5);
    CHECK(step.busy == 0);
  }
}

TEST_CASE("simulate: a spike is answered at once, and its children leave a quarter each second") {
  const SimulationResult result =
      simulated({.limits = usual_limits, .start_time = 1ms, .fork_time = 100us}, burst(40, 1s, 30s), 500ms);
  CHECK(result.most_busy == 40);
  CHECK(result.most_children == 45);
  CHECK(result.wait_of(1) < 0.02F);
  CHECK(result.wait_of(0.1) == 0);
  CHECK(result.refused == 0);
  CHECK(result.steps[2].busy == 40);
  CHECK(result.steps[4].busy == 0);
  CHECK(result.steps[4].children == 45);
  const auto surplus_after = [&](std::size_t second) { return result.steps[5 + 2 * second].children; };
  CHECK(surplus_after(0) == 45);
  CHECK(surplus_after(1) == 36);
  CHECK(surplus_after(2) == 29);
  CHECK(result.steps.back().children == 10);
}

TEST_CASE("simulate: beyond max-clients connections wait, and beyond listen-backlog they are refused") {
  Scenario scenario{.limits = usual_limits, .start_time = 1ms, .fork_time = 100us};
  scenario.limits.max_clients = 10;
  const SimulationResult result = simulated(scenario, burst(30, 1s, 10s));
  CHECK(result.most_children == 10);
  CHECK(result.wait_of(0.33) < 0.02F);
  CHECK(result.wait_of(0.66) == doctest::Approx(1).epsilon(0.02));
  CHECK(result.wait_of(1) == doctest::Approx(2).epsilon(0.02));
  scenario.listen_backlog = 20;
  const SimulationResult refusing = simulated(scenario, burst(30, 1s, 10s));
  CHECK(refusing.most_waiting == 20);
  CHECK(refusing.refused == 5);
  CHECK(refusing.waits.size() == 25);
  const SimulationResult ends = simulated(scenario, burst(20, 1s, 2s));
  CHECK(ends.still_waiting == 10);
  CHECK(ends.wait_of(1) == doctest::Approx(1));
}

TEST_CASE("simulate: a full pool waits as Erlang's formula says") {
  Scenario scenario;
  scenario.limits = {.start_servers = 10, .min_spare_servers = 0, .max_spare_servers = 10, .max_clients = 10};
  const SimulationResult result = simulated(scenario, described("400/s for 500s", {.mean = 0.02}));
  const Waits waits = waits_at({.arrivals = 400, .service = 0.02}, 10);
  CHECK(result.waited(0) == doctest::Approx(waits.chance).epsilon(0.1));
  CHECK(result.waited(0.005) == doctest::Approx(waits.chance_of_longer(0.005)).epsilon(0.1));
}

TEST_CASE("simulate: on demand there are children only while connections come") {
  Scenario scenario{.start_time = 1ms, .fork_time = 100us};
  scenario.limits = {.start_servers = 0, .min_spare_servers = 0, .max_spare_servers = 1, .max_clients = 5};
  scenario.limits.idle_timeout = 2s;
  const SimulationResult result = simulated(scenario, burst(1, 100ms, 20s));
  CHECK(result.steps[0].children == 0);
  CHECK(result.steps[1].children == 1);
  CHECK(result.steps.back().children == 0);
  CHECK(result.forks == 1);
}

TEST_CASE("simulate: children are replaced after max-requests-per-child, and when they are old") {
  Scenario scenario{.limits = usual_limits, .start_time = 1ms, .fork_time = 100us};
  const Load load = described("100/s for 60s", {.mean = 0.01});
  CHECK(simulated(scenario, load).forks < 30);
  scenario.limits.max_requests_per_child = 100;
  const SimulationResult capped = simulated(scenario, load);
  CHECK(capped.forks > load.arrivals.size() / 100 - 10);
  CHECK(capped.forks < load.arrivals.size() / 50);
  CHECK(capped.most_children <= 15);
  CHECK(capped.refused + capped.still_waiting == 0);
  scenario.limits.max_requests_per_child = 0;
  scenario.limits.max_lifetime_per_child = 10s;
  const SimulationResult aged = simulated(scenario, load);
  CHECK(aged.forks >= 5 * 5);
  CHECK(aged.forks < 100);
}

TEST_CASE("simulate: the throttle delays children that fail") {
  Scenario scenario{.limits = usual_limits, .start_time = 1ms, .fork_time = 100us};
  scenario.failing_starts = 1;
  const Load load = described("10/s for 100s", {.mean = 0.01});
  const SimulationResult result = simulated(scenario, load);
  CHECK(result.forks < 20);
  CHECK(result.forks == result.failed_starts);
  CHECK(result.still_waiting == load.arrivals.size());
  // Children that have served are no failing starts, however they end.
  scenario.failing_starts = 0;
  scenario.crashes = 0.1;
  const SimulationResult crashing = simulated(scenario, load);
  CHECK(crashing.crashed > 50);
  CHECK(crashing.still_waiting == 0);
}

TEST_CASE("simulate: with too few processors connections take longer, and more children are busy") {
  Scenario scenario{.limits = usual_limits, .start_time = 1ms, .fork_time = 100us};
  const Load load = described("300/s for 60s", {.mean = 0.01});
  const SimulationResult without = simulated(scenario, load);
  scenario.processors = 4;
  const SimulationResult with = simulated(scenario, load);
  CHECK(with.time_of(0.5) > without.time_of(0.5) * 1.2F);
  CHECK(with.most_busy > without.most_busy);
  scenario.computes = 0.1;
  CHECK(simulated(scenario, load).time_of(0.5) == doctest::Approx(without.time_of(0.5)).epsilon(0.02));
}

TEST_CASE("simulate: 10,000 children, and the same again") {
  Scenario scenario{.start_time = 3ms, .fork_time = 100us};
  scenario.limits = {
      .start_servers = 1000, .min_spare_servers = 100, .max_spare_servers = 500, .max_clients = 10'000};
  const Load load =
      described("1000/s for 2s, 12000/s for 5s, 1000/s for 5s", {.mean = 1, .variability = 0.2});
  const SimulationResult result = simulated(scenario, load);
  CHECK(result.most_children == 10'000);
  CHECK(result.most_waiting > 0);
  const SimulationResult again = simulated(scenario, load);
  CHECK(again.looks == result.looks);
  CHECK(again.waits == result.waits);
}

TEST_CASE("simulate: steps are joined") {
  const SimulationResult result =
      simulated({.limits = usual_limits, .start_time = 1ms}, burst(40, 1s, 10s), 100ms);
  const auto rows = joined(result.steps, 10);
  REQUIRE(rows.size() == 10);
  CHECK(rows[1].at == 2s);
  CHECK(rows[1].arrivals == 40);
  std::uint64_t forks = 0;
  for (const auto& row : rows) forks += row.forks;
  CHECK(forks == result.forks);
  CHECK(rows.back().children == result.steps.back().children);
}

TEST_CASE("simulate: settings are read and checked as at a start") {
  const GivenSettings in_force = {{"max-clients", {{"30"}, "in force"}},
                                  {"min-spare-servers", {{"3"}, "in force"}}};
  const SimulateOptions options =
      read_options({{"--max-clients", "40"}, {"--idle-timeout", "30s"}, {"--start-time", "3ms"}}, in_force);
  CHECK(options.scenario.limits.max_clients == 40);
  CHECK(options.scenario.limits.min_spare_servers == 3);
  CHECK(options.scenario.limits.max_spare_servers == 10);
  CHECK(options.scenario.limits.idle_timeout == 30s);
  CHECK(options.scenario.start_time == 3ms);
  const std::map<std::string, std::string> wrong = {{"--max-clients", "max-clients = 3"},
                                                    {"--start-time", "start-time = 3 "},
                                                    {"--crashes", "crashes = 3 "}};
  for (const auto& [option, part] : wrong) {
    const std::string mistake = mistake_of([&] { read_options({{option, "3"}}, {}); });
    CHECK_MESSAGE(mentions(mistake, part), mistake);
  }
}

TEST_CASE("simulate: what it prints") {
  SimulateOptions options;
  options.scenario = {.limits = usual_limits, .start_time = 1ms};
  options.memory_per_child = 2 << 20;
  const Load load = burst(40, 1s, 3s);
  const SimulationResult result = simulated(options.scenario, load);
  const SimulationReport report{options, load, result, result.steps};
  const std::string text = print(report);
  for (const char* part : {"load         40 connections in 3s, 1s each on average\n",
                           "settings     start-servers 5, max-clients 50\n             min-spare-servers 5, "
                           "max-spare-servers 10\n",
                           "TIME  ARRIVALS  CHILDREN  BUSY  SPARE  WAITING  FORKS  REFUSED\n",
                           "  2s        40        45    40      5       35     40        0\n",
                           "waits        p50 ", "children     45 at most, 40 busy at most; 45 forks, ",
                           "memory       90.0 MiB at most, 2.0 MiB a child\n"})
    CHECK_MESSAGE(mentions(text, part), text);
  CHECK(mentions(as_json(report), "\"most_children\": 45"));
  const std::string image = chart(result.steps, 45, "a < b");
  for (const char* part : {"<svg ", "a &lt; b", "prefers-color-scheme: dark", "class=\"busy\"",
                           ">max-clients 45<", ">50<", "</svg>"})
    CHECK_MESSAGE(mentions(image, part), image);
  CHECK(mentions(chart({}, 1, ""), "</svg>"));
}
