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

// Children that end while they serve, one after the other, are no matter of the throttle if each was ready
// before. If the others finish more connections than that, a few requests are to blame.
void judge_crashes(const ServiceSnapshot& service, const std::string& name, Verdict& verdict) {
  constexpr double fewest_crashes = 2.5;  // three in a row
  std::uint64_t finished = 0;             // by the children that there are
  for (const auto& slot : service.slots) finished += slot.figures.finished;
  const double all = service.finished_lately + static_cast<double>(finished);
  if (service.crashed_lately < fewest_crashes || service.crashed_lately <= all) return;
  const bool nearly_none = service.crashed_lately > all * 8;
  verdict.problems.push_back(
      {nearly_none ? Level::critical : Level::warning, name,
       text("children end while they serve: ", nearly_none ? "nearly every" : "most",
            nearly_none ? " connection ends" : " connections end", " so; see the log")});
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
  judge_crashes(service, name, verdict);
  if (service.at_max_clients)
    warn("max-clients = ", service.max_clients, " is reached, ", service.idle,
         " idle; raise it if memory permits, or see below what keeps children busy");
  if (service.stopped > 0)
    warn(count_of(service.stopped, "child"), " stopped by a signal: not spare until SIGCONT");
  if (service.lost > 0)
    warn(count_of(service.lost, "child"),
         " lost: SIGKILL has no effect, the kernel still holds the process (a disk or a network mount?)");
  if (!slots_add_up(service) || !connections_add_up(service))
    warn("the figures do not add up; this is a bug in Brood, please report it");
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

Verdict judge(const Snapshot& snapshot) {
  Verdict verdict;
  judge_parent(snapshot, verdict);
  // After the parent is gone, nothing is done about the last problems of its services.
  if (snapshot.parent_alive)
    for (const auto& service : snapshot.services) judge_service(service, verdict);
  for (const auto& problem : verdict.problems) verdict.level = std::max(verdict.level, problem.level);
  return verdict;
}

std::string why_not_ready(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return "the parent is gone";
  if (snapshot.parent_state == 'T' || snapshot.parent_state == 't') return "the parent is stopped";
  if (snapshot.stopping) return "the server is stopping";
  if (snapshot.draining) return "the server is draining";
  if (snapshot.services.empty()) return "there is no service";
  for (const auto& service : snapshot.services) {
    const std::string name = harmless(service.name);
    if (service.state != ServiceState::running)
      return text("service ", name, " is ", brood::name_of(service.state));
    const bool on_demand = service.start_servers == 0 && service.min_spare_servers == 0;
    const bool fails = service.throttled_for.count() > 0;
    if (service.idle + service.busy == 0 && (fails || !on_demand))
      return text("service ", name, " has no child that serves");
  }
  return "";
}

}  // namespace brood
