// SPDX-License-Identifier: MIT
#include "scoreboard/report/verdict.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "scoreboard/report/words.hpp"

namespace brood {
namespace {

constexpr std::array<std::string_view, 3> level_names = {"ok", "warning", "critical"};

void add(Verdict& verdict, Level level, std::string problem) {
  verdict.problems.push_back({level, "", std::move(problem)});
}

void judge_parent(const Snapshot& snapshot, Verdict& verdict) {
  const pid_t pid = snapshot.parent_pid;
  if (!snapshot.parent_alive)
    add(verdict, Level::critical,
        text("parent ", pid,
             " is gone: its children finish their connections and leave; start the server again"));
  else if (snapshot.parent_state == 'T')
    add(verdict, Level::critical,
        text("parent ", pid, " is stopped: no child is started or replaced; to continue it: kill -CONT ",
             pid));
  else if (snapshot.parent_state == 't')
    add(verdict, Level::critical,
        text("parent ", pid, " is held by a debugger: no child is started or replaced"));
  else if (snapshot.stopping)
    add(verdict, Level::warning, "the server is stopping: it takes no new connections");
  else if (snapshot.draining)
    add(verdict, Level::warning, "the server is draining: it serves on for drain-delay, and then stops");
}

std::string advice_on(const Lately& lately, const std::string& name) {
  if (lately.aborted >= lately.failed && lately.aborted >= lately.timed_out)
    return text("children end while they serve: see the log for what each was serving, and broodctl explain ",
                name);
  if (lately.failed >= lately.timed_out) return "handlers end by an exception: see the log";
  return "see what the handlers wait for, or raise the time limit that ends them";
}

// By what clients got. Fewer than three may be anybody's mistake.
void judge_outcomes(const ServiceSnapshot& service, const std::string& name, Verdict& verdict) {
  constexpr std::uint64_t fewest = 3;
  const Lately lately = lately_of(service);
  if (lately.bad() < fewest) return;
  const auto reached = [&](std::uint32_t percent) {
    return percent != 0 && lately.bad() * 100 >= lately.connections * percent;
  };
  const bool critical = reached(service.failed_critical);
  if (!critical && !reached(service.failed_warning)) return;
  verdict.problems.push_back(
      {critical ? Level::critical : Level::warning, name,
       text(lately.bad(), " of ", lately.connections, " connections failed in the last ", lately.span, " (",
            lately.aborted, " ended with their child, ", lately.failed, " by an exception, ",
            lately.timed_out, " timed out); ", advice_on(lately, name))});
}

void judge_waits(const ServiceSnapshot& service, const std::string& name, Verdict& verdict) {
  const Lately lately = lately_of(service);
  const auto reached = [&](std::chrono::milliseconds limit) {
    return limit.count() != 0 && lately.longest_wait >= limit;
  };
  const bool critical = reached(service.wait_critical);
  if (!critical && !reached(service.wait_warning)) return;
  const bool full = lately.most_busy >= service.max_clients;
  verdict.problems.push_back(
      {critical ? Level::critical : Level::warning, name,
       text("a connection has waited for ", lately.longest_wait,
            " in the last minute until a child took it; ",
            full ? text("all ", service.max_clients,
                        " children that max-clients permits were busy: raise it if memory permits")
                 : text("raise min-spare-servers = ", service.min_spare_servers,
                        " if children were started too late"),
            ", or see what keeps them busy")});
}

void judge_service(const ServiceSnapshot& service, Verdict& verdict) {
  const std::string name = harmless(service.name);
  const auto warn = [&](const auto&... parts) {
    verdict.problems.push_back({Level::warning, name, text(parts...)});
  };
  if (service.state == ServiceState::paused)
    warn("paused: connections wait; to serve them: broodctl resume ", name);
  if (service.state == ServiceState::stopped) warn("stopped by an order; to start it: broodctl start ", name);
  if (service.state == ServiceState::failed)
    verdict.problems.push_back({Level::critical, name,
                                "failed: its children report a configuration that cannot work; see the log, "
                                "correct it, and reload"});
  if (service.throttled_for.count() > 0) {
    const bool none_serves = service.idle + service.busy == 0;
    verdict.problems.push_back(
        {none_serves ? Level::critical : Level::warning, name,
         text("children fail at once or can't be forked", none_serves ? ", and none serves" : "",
              service.throttled_for < std::chrono::milliseconds(1)
                  ? "; a start is being tried"
                  : text("; the next start is in ", service.throttled_for),
              "; see the log")});
  }
  judge_outcomes(service, name, verdict);
  judge_waits(service, name, verdict);
  if (service.at_max_clients)
    warn("max-clients = ", service.max_clients, " is reached, ", service.idle, " idle, ",
         count_of(service.waiting, "connection"),
         " waiting; raise it if memory permits, or see below what keeps children busy");
  if (service.stopped > 0)
    warn(count_of(service.stopped, "child"), " stopped by a signal: not spare until SIGCONT");
  if (service.lost > 0)
    warn(count_of(service.lost, "child"),
         " lost: SIGKILL has no effect, the kernel still holds the process (a disk or a network mount?)");
  if (!slots_add_up(service) || !connections_add_up(service))
    warn("the figures do not add up; this is a bug in Brood, please report it");
}

Readiness drains(std::string why) { return {.kind = Readiness::Kind::drains, .why = std::move(why)}; }
Readiness down(std::string why) { return {.kind = Readiness::Kind::down, .why = std::move(why)}; }

Readiness readiness_of_server(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return down("the parent is gone");
  if (snapshot.parent_state == 'T' || snapshot.parent_state == 't') return drains("the parent is stopped");
  if (snapshot.stopping) return drains("the server is stopping");
  if (snapshot.draining) return drains("the server is draining");
  return {};
}

Readiness readiness_of_service(const ServiceSnapshot& service) {
  const std::string name = harmless(service.name);
  const bool finishes = service.state == ServiceState::paused || service.state == ServiceState::stopping;
  if (service.state != ServiceState::running)
    return {.kind = finishes ? Readiness::Kind::drains : Readiness::Kind::down,
            .why = text("service ", name, " is ", brood::name_of(service.state))};
  const bool on_demand = service.start_servers == 0 && service.min_spare_servers == 0;
  const bool fails = service.throttled_for.count() > 0;
  if (service.idle + service.busy == 0 && (fails || !on_demand))
    return down(text("service ", name, " has no child that serves"));
  return {};
}

}  // namespace

std::string_view name_of(Level level) { return level_names[static_cast<std::size_t>(level)]; }

bool slots_add_up(const ServiceSnapshot& service) {
  return std::size_t{service.empty} + service.children() == service.slots.size();
}

bool connections_add_up(const ServiceSnapshot& service) {
  const FiguresSnapshot& total = service.total;
  return total.accepted == total.finished + total.aborted + service.open_connections - service.uncounted ||
         std::any_of(service.slots.begin(), service.slots.end(),
                     [](const SlotSnapshot& slot) { return slot.torn; });
}

Lately lately_of(const ServiceSnapshot& service) {
  constexpr std::size_t minute = 60;
  constexpr std::uint64_t enough = 10;
  Lately lately;
  std::size_t seconds = 0;
  for (auto second = service.history.rbegin(); second != service.history.rend(); ++second, ++seconds) {
    if (seconds < minute) {
      lately.longest_wait = std::max(lately.longest_wait, second->longest_wait);
      lately.most_busy = std::max(lately.most_busy, second->most_busy);
    } else if (lately.connections >= enough) {
      break;
    }
    // A reader may see the probe of a connection before its end.
    lately.connections += second->finished - std::min(second->finished, second->probes) + second->aborted;
    lately.aborted += second->aborted;
    lately.failed += second->failed;
    lately.timed_out += second->timed_out;
  }
  lately.span = std::chrono::seconds(seconds);
  return lately;
}

Verdict judge(const Snapshot& snapshot) {
  Verdict verdict;
  judge_parent(snapshot, verdict);
  // After the parent is gone, nothing is done about the last problems of its services.
  if (snapshot.parent_alive)
    for (const auto& service : snapshot.services) judge_service(service, verdict);
  for (const auto& problem : verdict.problems) verdict.level = std::max(verdict.level, problem.level);
  return verdict;
}

Readiness readiness_of(const Snapshot& snapshot) {
  if (Readiness server = readiness_of_server(snapshot); !server.is_ready()) return server;
  if (snapshot.services.empty()) return down("there is no service");
  for (const auto& service : snapshot.services)
    if (Readiness its = readiness_of_service(service); !its.is_ready()) return its;
  return {};
}

Readiness readiness_of(const Snapshot& snapshot, const ServiceSnapshot& service) {
  Readiness found = readiness_of_server(snapshot);
  return found.is_ready() ? readiness_of_service(service) : found;
}

}  // namespace brood
