// SPDX-License-Identifier: MIT
// A snapshot as metrics: names, labels and types as Prometheus wants them.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "scoreboard/report/metrics.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

Snapshot two_services() {
  ServiceSnapshot web;
  web.name = "web";
  web.busy = 3;
  web.idle = 2;
  web.slots.resize(8);
  web.total.accepted = 110;
  web.total.finished = 100;
  web.total.failed = 7;
  web.total.peers_gone = 5;
  web.total.timed_out = 2;
  web.total.probes = 1;
  web.total.aborted = 4;
  web.total.latency[0] = 1;    // under 1 us
  web.total.latency[10] = 90;  // under 1,024 us
  web.total.latency[39] = 9;
  web.total.duration = 2500ms;
  web.counters = {{"hits", "How many.", false, 12}, {"size", "How much.", true, -3}};
  for (auto& slot : web.slots) slot.pid = 4711;
  ServiceSnapshot other;
  other.name = "a\"b\\c";
  Snapshot snapshot;
  snapshot.name = "server";
  snapshot.parent_alive = true;
  snapshot.services = {web, other};
  return snapshot;
}

std::string metrics_of(const Snapshot& snapshot, MetricsFormat format = MetricsFormat::prometheus) {
  return to_metrics(snapshot, judge(snapshot), format);
}

std::map<std::string, double> samples_of(const std::string& metrics) {
  std::map<std::string, double> samples;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto at = line.rfind(' ');
    CHECK_MESSAGE(samples.emplace(line.substr(0, at), std::stod(line.substr(at + 1))).second, line);
  }
  return samples;
}

}  // namespace

TEST_CASE("metrics: each figure has its place, and connections by cause are those that have ended") {
  auto samples = samples_of(metrics_of(two_services()));
  CHECK(samples.at("brood_connections_accepted_total{service=\"web\"}") == 110);
  double ended = 0;
  for (const auto& [sample, value] : samples)
    if (sample.starts_with("brood_connections_total{service=\"web\"")) ended += value;
  CHECK(ended == 104);
  CHECK(samples.at("brood_connections_total{service=\"web\",cause=\"served\"}") == 85);
  CHECK(samples.at("brood_children{service=\"web\",state=\"busy\"}") == 3);
  CHECK(samples.at("brood_own_total{service=\"web\",name=\"hits\"}") == 12);
  CHECK(samples.at("brood_own_value{service=\"web\",name=\"size\"}") == -3);
  CHECK(samples.at("brood_parent_up") == 1);
}

TEST_CASE("metrics: connections that a program does not report are not counted as none") {
  Snapshot snapshot = two_services();
  snapshot.services[0].counts_connections = false;
  const auto samples = samples_of(metrics_of(snapshot));
  CHECK(samples.count("brood_waiting_connections{service=\"web\"}") == 1);
  CHECK(samples.count("brood_children{service=\"web\",state=\"idle\"}") == 1);
  for (const auto& [sample, value] : samples)
    if (sample.find("service=\"web\"") != std::string::npos) {
      CHECK_FALSE(sample.starts_with("brood_connection"));
      CHECK_FALSE(sample.starts_with("brood_wait_seconds"));
    }
}

TEST_CASE("metrics: a histogram's buckets add up") {
  auto samples = samples_of(metrics_of(two_services()));
  const std::string name = "brood_connection_duration_seconds";
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"3.2e-05\"}") == 1);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"0.000512\"}") == 1);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"0.001024\"}") == 91);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"+Inf\"}") == 100);
  CHECK(samples.at(name + "_count{service=\"web\"}") == 100);
  CHECK(samples.at(name + "_sum{service=\"web\"}") == doctest::Approx(2.5));
}

TEST_CASE("metrics: the time in the queue is a histogram, whose steps begin at 8 ms") {
  Snapshot snapshot = two_services();
  ServiceSnapshot& web = snapshot.services[0];
  web.waiting = 2;
  web.most_waiting = 7;
  web.longest_wait = 300'000ms;
  web.wait = 300'030ms;
  web.waits[0] = 100;
  web.waits[2] = 1;
  web.waits[16] = 1;
  auto samples = samples_of(metrics_of(snapshot));
  const std::string name = "brood_wait_seconds";
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"0.008\"}") == 100);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"0.016\"}") == 100);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"0.032\"}") == 101);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"262.144\"}") == 101);
  CHECK(samples.at(name + "_bucket{service=\"web\",le=\"+Inf\"}") == 102);
  CHECK(samples.at(name + "_count{service=\"web\"}") == 102);
  CHECK(samples.at(name + "_sum{service=\"web\"}") == doctest::Approx(300.03));
  CHECK(samples.at("brood_waiting_connections{service=\"web\"}") == 2);
  CHECK(samples.at("brood_most_waiting_connections{service=\"web\"}") == 7);
  CHECK(samples.at("brood_longest_wait_seconds{service=\"web\"}") == 300);
}

TEST_CASE("metrics: children that have ended have a cause each") {
  Snapshot snapshot = two_services();
  ServiceSnapshot& web = snapshot.services[0];
  web.most_busy = 4;
  for (std::size_t cause = 0; cause < end_cause_names.size(); ++cause) web.children_ended[cause] = 10 + cause;
  auto samples = samples_of(metrics_of(snapshot));
  const auto ends = [&](const char* cause) {
    return samples.at(text("brood_children_ends_total{service=\"web\",cause=\"", cause, "\"}"));
  };
  CHECK(ends("unasked") == 10);
  CHECK(ends("requests") == 15);
  CHECK(ends("killed") == 23);
  CHECK(ends("exit-code") == 25);
  CHECK(samples.at("brood_most_busy_children{service=\"web\"}") == 4);
}

TEST_CASE("metrics: every family has HELP and TYPE once, before its samples") {
  for (const auto format : {MetricsFormat::prometheus, MetricsFormat::open_metrics}) {
    std::set<std::string> helped, typed;
    std::istringstream lines(metrics_of(two_services(), format));
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, std::regex("# HELP (\\S+) .*\\.")))
        CHECK(helped.insert(match[1]).second);
      else if (std::regex_match(line, match, std::regex("# TYPE (\\S+) (counter|gauge|histogram)")))
        CHECK(typed.insert(match[1]).second);
      else if (!line.starts_with("#")) {
        std::string name = line.substr(0, line.find_first_of("{ "));
        if (!typed.contains(name))
          name = std::regex_replace(name, std::regex("_(total|bucket|sum|count)$"), "");
        CHECK_MESSAGE(typed.contains(name), line);
      }
    }
    CHECK(helped == typed);
    CHECK(helped.size() > 25);
  }
}

TEST_CASE("metrics: no label is a pid or a slot, and what stands in a label is quoted") {
  const std::string metrics = metrics_of(two_services());
  CHECK(metrics.find("4711") == std::string::npos);
  CHECK(metrics.find("pid") == std::string::npos);
  CHECK(metrics.find("slot=") == std::string::npos);
  CHECK(metrics.find("{service=\"a\\\"b\\\\c\"}") != std::string::npos);
}

TEST_CASE("metrics: OpenMetrics is for who asks for it") {
  CHECK(metrics_format("") == MetricsFormat::prometheus);
  CHECK(metrics_format("text/plain;version=0.0.4;q=0.2") == MetricsFormat::prometheus);
  CHECK(metrics_format("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2") ==
        MetricsFormat::open_metrics);
  const std::string metrics = metrics_of(two_services(), MetricsFormat::open_metrics);
  CHECK(metrics.ends_with("\n# EOF\n"));
  CHECK(metrics.find("# TYPE brood_connections_accepted counter\n") != std::string::npos);
  CHECK(metrics.find("brood_connections_accepted_total{service=\"web\"} 110\n") != std::string::npos);
}
