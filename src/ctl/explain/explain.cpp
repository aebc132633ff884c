// SPDX-License-Identifier: MIT
#include "ctl/explain/explain.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/signals.hpp"
#include "base/text.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "scoreboard/report/verdict.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

constexpr std::size_t shown_decisions = 15;

std::string children(std::uint64_t count) { return count_of(count, "child"); }

std::string ago(std::chrono::nanoseconds time) {
  return text(std::chrono::duration_cast<std::chrono::milliseconds>(time), " ago");
}

std::string what_was_seen(const DecisionSnapshot& d) {
  return text(children(d.total), ": ", d.idle, " spare, ", d.busy, " busy, ", d.starting, " starting, ",
              d.leaving, " leaving; ", count_of(d.waiting, "connection"), " waited");
}

std::string why_started(const DecisionSnapshot& d) {
  const std::string spares = text(d.idle, " spare and ", d.starting, " starting");
  if (!d.word.empty())
    return text(count_of(d.waiting, "connection"), " waited for a second, and none of ", d.idle,
                " spare took one: a handler holds up its event loop");
  if (d.waiting > 0)
    return text(count_of(d.waiting, "connection"), " waited, and ", spares,
                " were fewer than these and min-spare-servers = ", d.min_spare_servers, " together need");
  return text(spares, " were fewer than min-spare-servers = ", d.min_spare_servers);
}

const DecisionSnapshot* find(const ServiceSnapshot& service, std::uint64_t number) {
  const auto found = std::ranges::find(service.decisions, number, &DecisionSnapshot::number);
  return number == 0 || found == service.decisions.end() ? nullptr : &*found;
}

std::string decision_line(const ServiceSnapshot& service, std::uint64_t number) {
  const DecisionSnapshot* const decision = find(service, number);
  if (decision == nullptr) return "the journal does not have that decision any more";
  return text(ago(decision->ago), ", decision ", number, ": ", sentence(*decision), "; seen were ",
              what_was_seen(*decision));
}

std::string reason_in_words(Reason reason) {
  switch (reason) {
    case Reason::surplus:
      return "it was one spare more than needed (max-spare-servers, idle-timeout)";
    case Reason::recycle:
      return "it was outdated: of settings before a reload, or beyond max-lifetime-per-child";
    case Reason::cap:
      return "it had served max-requests-per-child connections";
    case Reason::memory:
      return "it had more private memory than max-memory-per-child";
    case Reason::stop:
      return "its service stops";
    case Reason::pause:
      return "its service was paused";
    case Reason::retire:
      return "broodctl retire told it so";
    case Reason::damaged:
      return "its row on the scoreboard was overwritten";
    case Reason::own_stop:
      return "its own code called this_child::stop()";
    case Reason::detached:
      return "its own code called this_child::detach(): it has given its slot back";
    case Reason::parent_gone:
      return "the parent was gone";
    case Reason::none:
    case Reason::failure:
      break;
  }
  return "";
}

std::string how_it_ended(const EndSnapshot& end) {
  if (end.by_signal) return text("by signal ", end.status, " (", name_of_signal(end.status), ")");
  return text("with exit code ", end.status);
}

std::string why_it_ended(const EndSnapshot& end) {
  std::string reason = reason_in_words(end.reason);
  if (!reason.empty()) return reason;
  if (end.failed) return "nobody had told it to: see the log for what it was serving";
  return "it left by itself";
}

// The rule that holds at this moment.
std::string why_this_size(const ServiceSnapshot& service) {
  const std::uint32_t spares = service.spare, least = service.min_spare_servers,
                      most = service.max_spare_servers;
  const std::string between =
      text(spares, " spare, where min-spare-servers = ", least, " and max-spare-servers = ", most);
  switch (service.state) {
    case ServiceState::paused:
      return "it is paused: no child is to serve until broodctl resume";
    case ServiceState::stopping:
      return "it stops: children finish what they have";
    case ServiceState::stopped:
      return "it was stopped by an order";
    case ServiceState::failed:
      return "a child reported that its configuration cannot work: no more are started until a reload";
    case ServiceState::running:
      break;
  }
  if (service.throttled_for.count() > 0)
    return text(between, "; children fail, so the next start waits for ", service.throttled_for);
  if (service.at_max_clients)
    return text("max-clients = ", service.max_clients, " permits no more, and no child is spare; ",
                count_of(service.waiting, "connection"), " wait");
  if (service.children() == 0 && least == 0 && service.start_servers == 0)
    return "start-servers and min-spare-servers are 0: the next connection starts a child";
  if (spares + service.starting < least)
    return service.children() + service.detached >= service.max_clients
               ? text(between, "; max-clients = ", service.max_clients, " permits no more")
               : text(between, "; more are being started");
  if (spares > most)
    return text(between, "; a quarter of the surplus leaves each second, from those without connections");
  return text(between, ": none is started, and none is told to leave");
}

}  // namespace

std::string sentence(const DecisionSnapshot& d) {
  switch (d.kind) {
    case DecisionKind::start_first:
      return text("started ", children(d.count), ": start-servers = ", d.start_servers);
    case DecisionKind::start:
      return text("started ", children(d.count), ": ", why_started(d));
    case DecisionKind::replace:
      return text("started ", children(d.count), " to replace outdated ones: ", d.outdated, " were outdated");
    case DecisionKind::surplus:
      if (!d.word.empty())
        return text("told child ", d.pid, " to leave, which was ", harmless(d.word),
                    ": max-clients = ", d.max_clients, " left no room for another");
      return text("told ", children(d.count), " to leave: ", d.idle,
                  " spare were more than max-spare-servers = ", d.max_spare_servers, " for a second");
    case DecisionKind::idle:
      return text("told ", children(d.count),
                  " to leave: they were not needed in idle-timeout, and min-spare-servers = ",
                  d.min_spare_servers, " remain");
    case DecisionKind::outdated:
      return text("told ", children(d.count), " to leave: ", d.outdated,
                  " were outdated (a reload, max-requests-per-child, max-lifetime-per-child or "
                  "max-memory-per-child)");
    case DecisionKind::retire:
      return text("told child ", d.pid, " to leave: broodctl retire");
    case DecisionKind::throttle:
      return text("will start no child for ", std::chrono::nanoseconds(d.value),
                  ": children failed before they had proven themselves");
    case DecisionKind::fork_failed:
      return text("will start no child for ", std::chrono::nanoseconds(d.value),
                  ": fork failed; see the log");
    case DecisionKind::at_max_clients:
      return text("started none, though ", count_of(d.waiting, "connection"),
                  " waited: max-clients = ", d.max_clients, " is reached");
    case DecisionKind::reload:
      return text("took other settings: children before generation ", d.generation, " are outdated");
    case DecisionKind::scale:
      return text("took other limits from broodctl scale: spare ", d.min_spare_servers, " to ",
                  d.max_spare_servers, ", max-clients = ", d.max_clients);
    case DecisionKind::pause:
      return "paused: all children were told to leave";
    case DecisionKind::resume:
      return "resumed";
    case DecisionKind::stop:
      return "began to stop";
    case DecisionKind::run:
      return "started the service again";
    case DecisionKind::end:
      return text("ended child ", d.pid, ": ", harmless(d.word));
    case DecisionKind::damaged:
      return text("told child ", d.pid, " to leave: its row on the scoreboard was overwritten");
    case DecisionKind::upgrade:
      return text("went on as another program: children before generation ", d.generation, " are outdated");
    case DecisionKind::none:
      break;
  }
  return "did something that this program does not know";
}

std::string explain_service(const ServiceSnapshot& service) {
  std::string out =
      text("service ", harmless(service.name), " has ", children(service.children()), ": ", service.idle,
           " idle, ", service.busy, " busy, ", service.starting, " starting, ", service.leaving,
           " leaving; generation ", service.generation, "\n  ", why_this_size(service), '\n');
  const auto& all = service.decisions;
  if (all.empty()) return out + "  the parent has decided nothing yet\n";
  const std::size_t shown = std::min(all.size(), shown_decisions);
  out += text("the last ", shown, " of ", all.back().number, " decisions:\n");
  for (auto decision = all.end() - static_cast<std::ptrdiff_t>(shown); decision != all.end(); ++decision)
    out += text("  ", ago(decision->ago), ": ", sentence(*decision), "\n    seen: ", what_was_seen(*decision),
                '\n');
  return out;
}

std::string explain_child(const ServiceSnapshot& service, pid_t pid) {
  std::string out;
  for (const SlotSnapshot& slot : service.slots) {
    if (slot.state == SlotState::empty || slot.pid != pid) continue;
    out += text("child ", pid, " of service ", harmless(service.name), ", slot ", slot.index, ", generation ",
                slot.generation, ", is ", slot_state_names[static_cast<std::size_t>(slot.state)],
                ", and was started ", ago(slot.age), '\n');
    out += text("  started: ", decision_line(service, slot.started_by), '\n');
    if (const std::string reason = reason_in_words(slot.reason); !reason.empty())
      out += text(slot.asks ? "  asks for a replacement: " : "  leaves: ", reason, '\n');
    if (slot.told_by != 0) out += text("  told: ", decision_line(service, slot.told_by), '\n');
    if (slot.generation != service.generation)
      out += text("  outdated: the service is at generation ", service.generation, '\n');
    if (slot.state == SlotState::idle || slot.state == SlotState::busy)
      out += text("  stays: ", why_this_size(service), '\n');
  }
  // The kernel gives a pid again: the last one is meant, and all are shown.
  for (auto end = service.ends.rbegin(); end != service.ends.rend(); ++end) {
    if (end->pid != pid) continue;
    out += text("child ", pid, " of service ", harmless(service.name), ", slot ", end->slot, ", generation ",
                end->generation, ", ended ", ago(end->ago), ' ', how_it_ended(*end),
                end->failed ? ", which counts as failed" : "", ", ",
                std::chrono::duration_cast<std::chrono::milliseconds>(end->age), " old, after ",
                count_of(end->accepted, "connection"), '\n');
    out += text("  started: ", decision_line(service, end->started_by), '\n');
    out += text("  ended: ", why_it_ended(*end), '\n');
    if (end->told_by != 0) out += text("  told: ", decision_line(service, end->told_by), '\n');
  }
  return out;
}

int explain(const Invocation& invocation) {
  const auto& given = invocation.arguments;
  if (given.size() > 1 || (!given.empty() && given[0].empty()))
    throw Failure("usage: broodctl explain [SERVICE|PID]", outcome::wrong_usage);
  const std::string word = given.empty() ? "" : given[0];
  const Snapshot snapshot =
      read_scoreboard(locate(invocation.server, directory_of(invocation.runtime_directory)));
  const auto is_named = [&](const auto& service) { return service.name == word; };
  const bool is_service = std::ranges::any_of(snapshot.services, is_named);
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), pid);
  const bool is_pid = error == std::errc() && end == word.data() + word.size() && pid > 0;
  std::string out;
  for (const ServiceSnapshot& service : snapshot.services) {
    if (word.empty() || (is_service && is_named(service)))
      out += (out.empty() ? "" : "\n") + explain_service(service);
    else if (!is_service && is_pid)
      out += explain_child(service, pid);
  }
  if (out.empty() && is_pid)
    throw Failure(text("process ", pid, " is none of the children that server ", harmless(snapshot.name),
                       " has, and none of the last 128 of a service that have ended"),
                  outcome::wrong_usage);
  if (out.empty())
    throw Failure(
        word.empty() ? "the server has no service" : text("there is no service '", harmless(word), "'"),
        outcome::wrong_usage);
  std::fputs(out.c_str(), stdout);
  return outcome::done;
}

}  // namespace brood::ctl
