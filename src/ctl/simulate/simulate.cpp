// SPDX-License-Identifier: MIT
#include "ctl/simulate/simulate.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "ctl/advise/advise.hpp"
#include "ctl/locate.hpp"
#include "ctl/simulate/chart.hpp"
#include "ctl/simulate/report.hpp"
#include "ctl/status.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t most_rows = 60, most_points = 600, most_steps = 100'000;

Failure wrong(const std::string& what) { return {what, outcome::wrong_usage}; }

ServiceSnapshot look_at(const Invocation& invocation) {
  Snapshot snapshot = read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory)));
  if (!invocation.arguments.empty()) snapshot = only(std::move(snapshot), invocation.arguments.front());
  if (snapshot.services.size() != 1) throw wrong("the server has several services: name one");
  ServiceSnapshot service = std::move(snapshot.services.front());
  if (std::ranges::any_of(service.slots, [](const SlotSnapshot& slot) { return slot.capacity > 1; }))
    throw wrong("children with several connections at a time can't be simulated");
  return service;
}

GivenSettings limits_of(const ServiceSnapshot& service) {
  GivenSettings given;
  const auto add = [&](const char* name, std::uint32_t value) {
    given[name] = {{std::to_string(value)}, "in force"};
  };
  add("start-servers", service.start_servers);
  add("min-spare-servers", service.min_spare_servers);
  add("max-spare-servers", service.max_spare_servers);
  add("max-clients", service.max_clients);
  add("max-requests-per-child", service.max_requests_per_child);
  return given;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw SystemError(path, errno);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

Load wanted_load(const SimulateOptions& options, const std::optional<ServiceSnapshot>& service,
                 Random& random) {
  if (!options.load.empty() && !options.arrivals.empty())
    throw wrong("--load and --arrivals are two loads: give one");
  if (!options.arrivals.empty()) return read_load(content_of(options.arrivals), options.arrivals);
  if (options.load.empty()) return load_of(*service, random);
  if (!options.service_time) throw wrong("--load needs --service-time: how long a child has a connection");
  return load_of(parse_intervals(options.load),
                 {.mean = *options.service_time, .variability = options.variability}, random);
}

// Of a row.
nanoseconds step_for(const SimulateOptions& options, nanoseconds length) {
  if (options.step > 0) {
    const auto step = std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(options.step));
    if (step < std::chrono::milliseconds(1) || length / step > static_cast<nanoseconds::rep>(most_steps))
      throw wrong(text("--step is at least 1ms, and makes at most ", most_steps, " rows"));
    return step;
  }
  for (const unsigned seconds : {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600})
    if (length <= std::chrono::seconds(seconds) * most_rows) return std::chrono::seconds(seconds);
  return std::chrono::hours(24);
}

// Into how many points of the chart a row is divided.
std::size_t points_of(nanoseconds step, std::size_t rows) {
  for (std::size_t points = most_points / std::max<std::size_t>(rows, 1); points > 1; --points)
    if (step.count() % static_cast<nanoseconds::rep>(points) == 0) return points;
  return 1;
}

void write_chart(const std::string& path, const std::string& image) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << image << std::flush))
    throw Failure(text(path, ": ", std::string_view(SystemError("can't be written", errno).what())),
                  outcome::output_failed);
}

void run(const Invocation& invocation) {
  std::optional<ServiceSnapshot> service;
  GivenSettings in_force;
  if (invocation.has("--load") || invocation.has("--arrivals")) {
    if (!invocation.arguments.empty())
      throw wrong("a SERVICE has a load of its own: without it, give --load or --arrivals");
  } else {
    service = look_at(invocation);
    in_force = limits_of(*service);
  }
  SimulateOptions options = read_options(invocation.of_one_command, in_force);
  for (const auto& note : options.passed_over)
    std::fprintf(stderr, "broodctl: %s; it is passed over\n", harmless(note).c_str());
  if (service && options.memory_per_child == 0)
    options.memory_per_child = static_cast<std::uint64_t>(means_of(*service).memory_of_child);
  Random random(options.seed);
  Load load = wanted_load(options, service, random);
  if (load.length <= nanoseconds(0)) throw wrong("the load lasts for no time");
  const nanoseconds step = step_for(options, load.length);
  load.length = (load.length + step - nanoseconds(1)) / step * step;
  const std::size_t points = points_of(step, static_cast<std::size_t>(load.length / step));
  const SimulationResult simulated =
      run_simulation(options.scenario, load, step / static_cast<nanoseconds::rep>(points), options.seed);
  const SimulationReport report{options, load, simulated, joined(simulated.steps, points)};
  if (!options.svg.empty())
    write_chart(options.svg, chart(simulated.steps, options.scenario.limits.max_clients,
                                   service ? service->name : options.load));
  std::fputs((invocation.json ? as_json(report) : print(report)).c_str(), stdout);
}

}  // namespace

int simulate(const Invocation& invocation) {
  try {
    run(invocation);
  } catch (const Error& error) {
    const std::string all = error.what();  // a mistake on each line
    const auto mistakes = split(all, '\n');
    for (std::size_t i = 0; i + 1 < mistakes.size(); ++i)
      std::fprintf(stderr, "broodctl: %s\n", harmless(mistakes[i]).c_str());
    throw wrong(std::string(mistakes.back()));
  }
  return outcome::done;
}

}  // namespace brood::ctl
