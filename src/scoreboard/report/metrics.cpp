// SPDX-License-Identifier: MIT
#include "scoreboard/report/metrics.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdio>
#include <ctime>
#include <functional>
#include <utility>

#include "base/text.hpp"
#include "base/text/version.hpp"

namespace brood {
namespace {

// Of connections: 32 us to 18 minutes. What is quicker or slower is in the first or the last one.
constexpr std::size_t first_bucket = 5, last_bucket = 30;

std::string number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.9g", value);
  return buffer.data();
}
std::string number(std::integral auto value) { return text(+value); }

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// A backslash is none of the escapes that names of services have.
std::string quoted(std::string_view value) {
  std::string all = "\"";
  for (const char c : escape(value, Keep::ascii)) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + '"';
}

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

class Writer {
 public:
  Writer(const Snapshot& snapshot, MetricsFormat format) : snapshot_(snapshot), format_(format) {}

  // OpenMetrics names the family of a counter without its _total. `unit`: the end of the name, if it is one.
  void family(const std::string& name, std::string_view type, std::string_view help,
              std::string_view unit = "") {
    const bool open = format_ == MetricsFormat::open_metrics;
    family_ = name;
    sample_ = type == "counter" ? name + "_total" : name;
    const std::string& shown = open ? family_ : sample_;
    out_ += text("# HELP ", shown, ' ', help, "\n# TYPE ", shown, ' ', type, '\n');
    if (open && !unit.empty()) out_ += text("# UNIT ", shown, ' ', unit, '\n');
  }
  void sample(const Labels& labels, const auto& value) { sample(sample_, labels, value); }
  void sample(const std::string& name, const Labels& labels, const auto& value) {
    out_ += name;
    char before = '{';
    for (const auto& [label, its] : labels) {
      out_ += text(before, label, '=', quoted(its));
      before = ',';
    }
    out_ += text(labels.empty() ? " " : "} ", number(value), '\n');
  }
  void each_service(const std::function<void(const ServiceSnapshot&)>& samples) {
    for (const auto& service : snapshot_.services)
      if (service.counts_connections || !of_connections_) samples(service);
  }
  void counter(const std::string& name, std::string_view help, const auto& value,
               std::string_view unit = "") {
    family(name, "counter", help, unit);
    each_service([&](const auto& service) { sample({{"service", service.name}}, value(service)); });
  }
  void gauge(const std::string& name, std::string_view help, const auto& value, std::string_view unit = "") {
    family(name, "gauge", help, unit);
    each_service([&](const auto& service) { sample({{"service", service.name}}, value(service)); });
  }
  // From now on, without services that do not report them.
  void begin_connections() { of_connections_ = true; }
  const std::string& name() const { return family_; }
  std::string take() {
    if (format_ == MetricsFormat::open_metrics) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  const Snapshot& snapshot_;
  const MetricsFormat format_;
  std::string family_, sample_, out_;
  bool of_connections_ = false;
};

void write_server(Writer& to, const Snapshot& snapshot, const Verdict& verdict) {
  to.family("brood_server_info", "gauge", "The name of the server, and the version of the kit.");
  to.sample({{"name", snapshot.name}, {"version", kit_version}}, 1);
  to.family("brood_verdict", "gauge", "The level of the worst problem: 0 ok, 1 warning, 2 critical.");
  to.sample({}, static_cast<int>(verdict.level));
  to.family("brood_ready", "gauge", "Whether clients should be sent here, as /readyz answers it.");
  to.sample({}, readiness_of(snapshot).is_ready() ? 1 : 0);
  to.family("brood_parent_up", "gauge", "Whether the parent runs.");
  to.sample({}, snapshot.parent_alive ? 1 : 0);
  to.family("brood_start_time_seconds", "gauge", "When the server was started, since 1970.", "seconds");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto started = std::chrono::round<std::chrono::seconds>(now - snapshot.age);
  to.sample({}, started.count());
  to.family("brood_upgrades", "counter", "Programs that took over in the process of the parent.");
  to.sample({}, snapshot.upgrades);
  to.family("brood_problems", "gauge", "Problems that broodctl status would name, by level.");
  for (const Level level : {Level::warning, Level::critical}) {
    const auto has_level = [&](const Problem& problem) { return problem.level == level; };
    to.sample({{"level", name_of(level)}},
              std::count_if(verdict.problems.begin(), verdict.problems.end(), has_level));
  }
}

void write_children(Writer& to) {
  to.family("brood_service_state", "gauge", "1 for the state that the service has.");
  to.each_service([&](const auto& service) {
    for (const auto state : service_state_names)
      to.sample({{"service", service.name}, {"state", state}}, name_of(service.state) == state ? 1 : 0);
  });
  to.family("brood_children", "gauge", "Children, by state.");
  to.each_service([&](const auto& service) {
    const auto one = [&](std::string_view state, std::uint32_t children) {
      to.sample({{"service", service.name}, {"state", state}}, children);
    };
    one("starting", service.starting);
    one("idle", service.idle);
    one("busy", service.busy);
    one("leaving", service.leaving);
    one("detached", service.detached);
  });
  using Service = const ServiceSnapshot&;
  to.gauge("brood_spare_children", "Children that can take another connection now.",
           [](Service service) { return service.spare; });
  to.gauge("brood_stopped_children", "Children that are stopped by a signal.",
           [](Service service) { return service.stopped; });
  to.gauge("brood_lost_children", "Children that SIGKILL could not end.",
           [](Service service) { return service.lost; });
  to.gauge("brood_max_clients", "The setting max-clients.",
           [](Service service) { return service.max_clients; });
  to.gauge("brood_min_spare_servers", "The setting min-spare-servers.",
           [](Service service) { return service.min_spare_servers; });
  to.gauge("brood_max_spare_servers", "The setting max-spare-servers.",
           [](Service service) { return service.max_spare_servers; });
  to.gauge("brood_at_max_clients", "Whether no child is spare, and none may be added.",
           [](Service service) { return service.at_max_clients ? 1 : 0; });
  to.gauge(
      "brood_throttled_seconds", "Until the next child may be started; 0: starts are not throttled.",
      [](Service service) { return seconds(service.throttled_for); }, "seconds");
  to.gauge("brood_generation", "The generation of the settings.",
           [](Service service) { return service.generation; });
  to.counter("brood_children_started", "Children that were started.",
             [](Service service) { return service.children_started; });
  to.counter("brood_children_ended", "Children that have ended.",
             [](Service service) { return service.children_gone; });
  to.counter("brood_children_failed", "Children that have ended by a signal or with an error.",
             [](Service service) { return service.children_failed; });
  to.family("brood_children_ends", "counter", "Children that have ended, by cause.");
  to.each_service([&](Service service) {
    for (std::size_t cause = 0; cause < service.children_ended.size(); ++cause)
      to.sample({{"service", service.name}, {"cause", end_cause_names[cause]}},
                service.children_ended[cause]);
  });
  to.gauge("brood_most_busy_children", "The most children that were busy at once.",
           [](Service service) { return service.most_busy; });
  to.counter("brood_max_clients_reached", "How often max-clients was reached.",
             [](Service service) { return service.max_clients_reached; });
  to.counter("brood_lock_recoveries", "How often the lock of the scoreboard was taken from a dead owner.",
             [](Service service) { return service.recoveries; });
  to.counter("brood_scoreboard_repairs", "Fields of the scoreboard that were corrected.",
             [](Service service) { return service.repairs; });
}

// Of a service, the sum of all outcomes is what it has accepted, without those that are open.
void write_connections(Writer& to) {
  using Service = const ServiceSnapshot&;
  to.counter("brood_connections_accepted", "Connections that were accepted.",
             [](Service service) { return service.total.accepted; });
  to.family("brood_connections", "counter", "Connections that have ended, by cause.");
  to.each_service([&](Service service) {
    const FiguresSnapshot& total = service.total;
    const auto one = [&](std::string_view cause, std::uint64_t connections) {
      to.sample({{"service", service.name}, {"cause", cause}}, connections);
    };
    const std::uint64_t unserved = total.failed + total.peers_gone + total.timed_out + total.probes;
    one("served", total.finished - std::min(unserved, total.finished));
    one("failed", total.failed);
    one("peer-gone", total.peers_gone);
    one("timed-out", total.timed_out);
    one("probe", total.probes);
    one("aborted", total.aborted);
  });
  to.family("brood_connections_refused", "counter", "Clients that were refused, by the rule that did it.");
  to.each_service([&](Service service) {
    for (std::size_t by = 0; by < service.refused.size(); ++by)
      to.sample({{"service", service.name}, {"cause", refused_by_names[by]}}, service.refused[by]);
    to.sample({{"service", service.name}, {"cause", "proxy-header"}}, service.total.refused_proxy);
  });
  to.gauge("brood_open_connections", "Connections that are open.",
           [](Service service) { return service.open_connections; });
  to.counter("brood_connection_timeouts", "Connections that connection-timeout has ended.",
             [](Service service) { return service.connection_timeouts; });
  to.counter("brood_early_probes", "Connections of a balancer, or without a byte, at listeners with proxy.",
             [](Service service) { return service.total.early_probes; });
  to.counter(
      "brood_read_bytes", "Bytes that were read from clients.",
      [](Service service) { return service.total.bytes_read; }, "bytes");
  to.counter(
      "brood_written_bytes", "Bytes that were written to clients.",
      [](Service service) { return service.total.bytes_written; }, "bytes");
}

void write_durations(Writer& to) {
  to.family("brood_connection_duration_seconds", "histogram",
            "Finished connections by the time from accept to close.", "seconds");
  to.each_service([&](const ServiceSnapshot& service) {
    const std::string& name = to.name();
    std::uint64_t connections = 0;
    for (std::size_t bucket = 0; bucket < latency_buckets; ++bucket) {
      connections += service.total.latency[bucket];
      if (bucket < first_bucket || bucket > last_bucket) continue;
      const std::string end = number(static_cast<double>(std::uint64_t{1} << bucket) / 1e6);
      to.sample(name + "_bucket", {{"service", service.name}, {"le", end}}, connections);
    }
    to.sample(name + "_bucket", {{"service", service.name}, {"le", "+Inf"}}, connections);
    to.sample(name + "_sum", {{"service", service.name}}, seconds(service.total.duration));
    to.sample(name + "_count", {{"service", service.name}}, connections);
  });
}

void write_queues(Writer& to) {
  using Service = const ServiceSnapshot&;
  to.gauge("brood_waiting_connections", "Connections that wait in the queues of the listeners.",
           [](Service service) { return service.waiting; });
  to.gauge("brood_most_waiting_connections", "The most connections that were seen in the queues.",
           [](Service service) { return service.most_waiting; });
}

// A wait of less than a step counts as none in the sum: it is not known to be longer.
void write_waits(Writer& to) {
  using Service = const ServiceSnapshot&;
  to.gauge(
      "brood_longest_wait_seconds", "The longest time of a connection in a queue.",
      [](Service service) { return seconds(service.longest_wait); }, "seconds");
  to.family("brood_wait_seconds", "histogram",
            "Connections by the time in the queue of a listener until a child took them.", "seconds");
  to.each_service([&](Service service) {
    const std::string& name = to.name();
    std::uint64_t connections = 0;
    for (std::size_t bucket = 0; bucket < wait_buckets; ++bucket) {
      connections += service.waits[bucket];
      const bool last = bucket + 1 == wait_buckets;
      const std::chrono::milliseconds end(std::uint64_t{wait_resolution} << bucket);
      to.sample(name + "_bucket", {{"service", service.name}, {"le", last ? "+Inf" : number(seconds(end))}},
                connections);
    }
    to.sample(name + "_sum", {{"service", service.name}}, seconds(service.wait));
    to.sample(name + "_count", {{"service", service.name}}, connections);
  });
}

// The names of a server's own are not those of a metric, and need not be unlike the kit's.
void write_own(Writer& to, const Snapshot& snapshot) {
  for (const bool gauges : {false, true}) {
    const auto of_kind = [&](const CounterSnapshot& counter) { return counter.gauge == gauges; };
    const bool any =
        std::any_of(snapshot.services.begin(), snapshot.services.end(), [&](const ServiceSnapshot& service) {
          return std::any_of(service.counters.begin(), service.counters.end(), of_kind);
        });
    if (!any) continue;
    if (gauges)
      to.family("brood_own_value", "gauge", "Gauges of the server's own, by name.");
    else
      to.family("brood_own", "counter", "Counters of the server's own, by name.");
    to.each_service([&](const ServiceSnapshot& service) {
      for (const auto& counter : service.counters)
        if (of_kind(counter)) to.sample({{"service", service.name}, {"name", counter.name}}, counter.value);
    });
  }
}

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
  return accept.find("application/openmetrics-text") == std::string_view::npos ? MetricsFormat::prometheus
                                                                               : MetricsFormat::open_metrics;
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string to_metrics(const Snapshot& snapshot, const Verdict& verdict, MetricsFormat format) {
  Writer to(snapshot, format);
  write_server(to, snapshot, verdict);
  write_children(to);
  write_queues(to);
  to.begin_connections();
  write_connections(to);
  write_durations(to);
  write_waits(to);
  write_own(to, snapshot);
  return to.take();
}

}  // namespace brood
