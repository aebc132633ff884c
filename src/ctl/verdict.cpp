// SPDX-License-Identifier: MIT
#include "verdict.hpp"

#include <algorithm>
#include <array>

#include "words.hpp"

namespace brood::ctl {
namespace {

constexpr std::array<std::string_view, 3> level_names = {"ok", "warning", "critical"};

void judge_parent(const Snapshot& snapshot, Verdict& verdict) {
  const std::string pid = std::to_string(snapshot.parent_pid);
  const auto critical = [&](std::string text) {
    verdict.problems.push_back({Level::critical, std::move(text)});
  };
  if (!snapshot.parent_alive)
    critical("parent " + pid +
             " is gone: its children finish what they have and leave; start the server again");
  else if (snapshot.parent_state == 'T')
    critical("parent " + pid + " is stopped: nobody starts or replaces children; 'kill -CONT " + pid +
             "' continues it");
  else if (snapshot.parent_state == 't')
    critical("parent " + pid + " is held by a debugger: nobody starts or replaces children");
  else if (snapshot.stopping)
    verdict.problems.push_back({Level::warning, "the server is stopping: it takes no new connections"});
}

void judge_service(const ServiceSnapshot& service, Verdict& verdict) {
  const auto warn = [&](std::string text) {
    verdict.problems.push_back({Level::warning, harmless(service.name) + ": " + std::move(text)});
  };
  const auto orders = [&](const char* verb) {
    return "; 'broodctl " + std::string(verb) + ' ' + harmless(service.name) + "' ends that";
  };
  if (service.state == ServiceState::paused) warn("paused, connections wait" + orders("resume"));
  if (service.state == ServiceState::stopped) warn("stopped by an order" + orders("start"));
  if (service.state == ServiceState::failed)
    verdict.problems.push_back(
        {Level::critical, harmless(service.name) +
                              ": its children say that their configuration can't work; the log tells, and a "
                              "reload starts it again"});
  if (service.throttled_for.count() > 0)
    warn("children fail at once or can't be forked, the next start is in " + duration(service.throttled_for) +
         "; the log says why");
  if (service.at_max_clients)
    warn("max-clients = " + std::to_string(service.max_clients) + " is reached, " +
         std::to_string(service.idle) +
         " idle; raise it if memory permits, or see below what keeps children busy");
  if (service.stopped > 0)
    warn(count_of(service.stopped, "child") + " stopped by a signal, no spare until SIGCONT");
  if (service.lost > 0)
    warn(count_of(service.lost, "child") +
         " lost: SIGKILL has no effect, the kernel holds on to it (disk, network mount?)");
  if (!slots_add_up(service) || !connections_add_up(service))
    warn("the figures do not add up; this is a fault of Brood's, please report it");
}

}  // namespace

std::string_view name_of(Level level) { return level_names[static_cast<std::size_t>(level)]; }

bool slots_add_up(const ServiceSnapshot& service) {
  return std::size_t{service.empty} + service.children() == service.slots.size();
}

bool connections_add_up(const ServiceSnapshot& service) {
  const FiguresSnapshot& total = service.total;
  return total.accepted == total.finished + total.aborted + service.open_connections ||
         std::any_of(service.slots.begin(), service.slots.end(),
                     [](const SlotSnapshot& slot) { return slot.torn; });
}

Verdict judge(const Snapshot& snapshot) {
  Verdict verdict;
  judge_parent(snapshot, verdict);
  // Of a server that is gone, the last moment's troubles are no news.
  if (snapshot.parent_alive)
    for (const auto& service : snapshot.services) judge_service(service, verdict);
  for (const auto& problem : verdict.problems) verdict.level = std::max(verdict.level, problem.level);
  return verdict;
}

}  // namespace brood::ctl
