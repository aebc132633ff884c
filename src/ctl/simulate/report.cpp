// SPDX-License-Identifier: MIT
#include "ctl/simulate/report.hpp"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "ctl/table.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

std::string time(double seconds) {
  return text(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

std::string row(std::string label, const std::string& what) {
  constexpr std::size_t width = 13;
  label.resize(width, ' ');
  return label + what + '\n';
}

double mean_service(const Load& load) {
  double sum = 0;
  for (const auto& arrival : load.arrivals) sum += std::chrono::duration<double>(arrival.service).count();
  return load.arrivals.empty() ? 0 : sum / static_cast<double>(load.arrivals.size());
}

std::string settings(const Scenario& scenario) {
  const Limits& limits = scenario.limits;
  std::string out =
      row("settings", text("start-servers ", limits.start_servers, ", max-clients ", limits.max_clients));
  out += row("", text("min-spare-servers ", limits.min_spare_servers, ", max-spare-servers ",
                      limits.max_spare_servers));
  if (limits.max_requests_per_child > 0)
    out += row("", text("max-requests-per-child ", limits.max_requests_per_child));
  if (limits.max_lifetime_per_child.count() > 0)
    out += row("", text("max-lifetime-per-child ", write_duration(limits.max_lifetime_per_child)));
  if (limits.idle_timeout.count() > 0)
    out += row("", text("idle-timeout ", write_duration(limits.idle_timeout)));
  return out;
}

std::string at(std::chrono::nanoseconds time) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.6gs", std::chrono::duration<double>(time).count());
  return digits.data();
}

std::string failures(const SimulationResult& result) {
  std::string out = text(grouped(result.refused), " connections found the queue full");
  if (result.failed_starts > 0) out += text(", ", grouped(result.failed_starts), " starts failed");
  if (result.crashed > 0) out += text(", ", grouped(result.crashed), " connections ended their child");
  return out;
}

}  // namespace

std::string print(const SimulationReport& report) {
  const SimulationResult& result = report.simulated;
  std::string out =
      row("load", text(grouped(report.load.arrivals.size()), " connections in ", at(report.load.length), ", ",
                       time(mean_service(report.load)), " each on average"));
  out += settings(report.options.scenario) + '\n';
  Table table({{"TIME", Align::right},
               {"ARRIVALS", Align::right},
               {"CHILDREN", Align::right},
               {"BUSY", Align::right},
               {"SPARE", Align::right},
               {"WAITING", Align::right},
               {"FORKS", Align::right},
               {"REFUSED", Align::right}});
  for (const auto& step : report.rows)
    table.row({at(step.at), text(step.arrivals), text(step.children), text(step.busy), text(step.spare),
               text(step.most_waiting), text(step.forks), text(step.refused)});
  out += table.print(SIZE_MAX) + '\n';
  out += row("waits", text("p50 ", time(result.wait_of(0.5)), ", p95 ", time(result.wait_of(0.95)), ", p99 ",
                           time(result.wait_of(0.99)), ", longest ", time(result.wait_of(1)), "; ",
                           percent(result.waited(0.001)), " over 1ms"));
  if (result.still_waiting > 0)
    out += row("", text(grouped(result.still_waiting), " wait still at the end: their waits are longer"));
  if (report.options.scenario.processors > 0)
    out += row("whole time", text("p50 ", time(result.time_of(0.5)), ", p95 ", time(result.time_of(0.95)),
                                  ", p99 ", time(result.time_of(0.99)), ", from arrival to end"));
  out += row("children",
             text(grouped(result.most_children), " at most, ", grouped(result.most_busy), " busy at most; ",
                  grouped(result.forks), " forks, ", grouped(result.looks), " looks of the parent"));
  out += row("failures", failures(result));
  if (const std::uint64_t each = report.options.memory_per_child; each > 0)
    out += row("memory", text(bytes(each * result.most_children), " at most, ", bytes(each), " a child"));
  return out;
}

std::string as_json(const SimulationReport& report) {
  const SimulationResult& result = report.simulated;
  const Limits& limits = report.options.scenario.limits;
  auto steps = nlohmann::ordered_json::array();
  for (const auto& step : report.rows)
    steps.push_back({{"seconds", std::chrono::duration<double>(step.at).count()},
                     {"arrivals", step.arrivals},
                     {"children", step.children},
                     {"busy", step.busy},
                     {"spare", step.spare},
                     {"most_waiting", step.most_waiting},
                     {"forks", step.forks},
                     {"refused", step.refused}});
  const nlohmann::ordered_json all{{"limits",
                                    {{"start_servers", limits.start_servers},
                                     {"min_spare_servers", limits.min_spare_servers},
                                     {"max_spare_servers", limits.max_spare_servers},
                                     {"max_clients", limits.max_clients},
                                     {"max_requests_per_child", limits.max_requests_per_child}}},
                                   {"connections", result.arrivals},
                                   {"wait_p50_seconds", result.wait_of(0.5)},
                                   {"wait_p95_seconds", result.wait_of(0.95)},
                                   {"wait_p99_seconds", result.wait_of(0.99)},
                                   {"wait_longest_seconds", result.wait_of(1)},
                                   {"time_p50_seconds", result.time_of(0.5)},
                                   {"time_p95_seconds", result.time_of(0.95)},
                                   {"time_p99_seconds", result.time_of(0.99)},
                                   {"still_waiting", result.still_waiting},
                                   {"refused", result.refused},
                                   {"forks", result.forks},
                                   {"failed_starts", result.failed_starts},
                                   {"crashed", result.crashed},
                                   {"looks", result.looks},
                                   {"most_children", result.most_children},
                                   {"most_busy", result.most_busy},
                                   {"most_waiting", result.most_waiting},
                                   {"memory_bytes", report.options.memory_per_child * result.most_children},
                                   {"steps", steps}};
  return all.dump(2) + '\n';
}

}  // namespace brood::ctl
