// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "scoreboard/report/words.hpp"
#include "table.hpp"

namespace brood::ctl {
namespace {

// "label        parts"
template <typename... Parts>
std::string line(std::string label, const Parts&... parts) {
  constexpr std::size_t label_width = 13;
  label.resize(label_width, ' ');
  return text(label, parts..., '\n');
}

std::string state_of_parent(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return "gone";
  switch (snapshot.parent_state) {
    case 'T':
      return "stopped";
    case 't':
      return "held by a debugger";
    default:
      if (snapshot.draining) return "draining";
      return snapshot.stopping ? "stopping" : "running";
  }
}

std::string header(const Snapshot& snapshot, const Verdict& verdict) {
  std::string level(name_of(verdict.level));
  std::transform(level.begin(), level.end(), level.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string out = text(level, ": ", harmless(snapshot.name), ", parent ", snapshot.parent_pid, ' ',
                         state_of_parent(snapshot), snapshot.parent_alive ? ", up " : ", was started ",
                         snapshot.age, snapshot.parent_alive ? "" : " ago");
  if (snapshot.upgrades > 0) out += text(", upgraded ", snapshot.upgrades, " time(s)");
  out += '\n';
  for (const auto& problem : verdict.problems) out += text("  ", problem.sentence(), '\n');
  return out;
}

std::string pool(const ServiceSnapshot& service) {
  const std::string requests =
      service.max_requests_per_child == 0 ? "unlimited" : text(service.max_requests_per_child);
  const std::string working = service.counts_connections
                                  ? text(service.idle, " idle, ", service.busy, " busy, ")
                                  : text(service.idle + service.busy, " running, ");
  return line("children", service.children(), " of max-clients ", service.max_clients, ": ", working,
              service.starting, " starting, ", service.leaving, " leaving") +
         line("", "of those ", service.spare, " spare, ", service.stopped, " stopped, ", service.lost,
              " lost", service.detached == 0 ? "" : text("; besides ", service.detached, " detached"),
              "; generation ", service.generation) +
         line("limits", "start ", service.start_servers, ", spare ", service.min_spare_servers, " to ",
              service.max_spare_servers, ", requests a child ", requests);
}

std::string latencies(const FiguresSnapshot& total) {
  if (total.latency_at(1).count() == 0) return "none finished yet";
  return text("p50 ", upper_end(total.latency_at(0.5)), ", p90 ", upper_end(total.latency_at(0.9)), ", p99 ",
              upper_end(total.latency_at(0.99)));
}

// Only if there were some.
std::string refusals(const ServiceSnapshot& service) {
  const auto [by_rule, by_limit, by_rate, by_overload] = service.refused;
  if (by_rule + by_limit + by_rate + by_overload == 0) return "";
  return line("refused", by_rule, " by a rule, ", by_limit, " by max-connections-per-client, ", by_rate,
              " by client-rate, ", by_overload, " by overload");
}

// How long connections have waited until a child took them, as far as they have.
std::string waits(const ServiceSnapshot& service) {
  std::string all;
  for (std::size_t bucket = 1; bucket < wait_buckets; ++bucket)
    if (service.waits[bucket] != 0)
      all += text(all.empty() ? "" : ", ", service.waits[bucket], " from ",
                  std::chrono::milliseconds(std::uint64_t{wait_resolution} << (bucket - 1)));
  return line("queue", service.waiting, " waiting, at most ", service.most_waiting, "; longest wait ",
              service.longest_wait) +
         (all.empty() ? "" : line("", "waited: ", service.waits[0], " less, ", all));
}

// How long exactly so many children were busy.
std::string occupancy(const ServiceSnapshot& service) {
  constexpr double shown_from = 0.001;
  std::chrono::nanoseconds all{};
  for (const auto time : service.busy_times) all += time;
  std::string shares;
  for (std::size_t busy = 0; busy < service.busy_times.size() && all.count() > 0; ++busy) {
    const double share =
        static_cast<double>(service.busy_times[busy].count()) / static_cast<double>(all.count());
    if (share >= shown_from) shares += text("; ", busy, ": ", percent(share));
  }
  return line("busy", "at most ", service.most_busy, shares);
}

std::string lately(const ServiceSnapshot& service) {
  const Lately lately = lately_of(service);
  return line("lately", lately.connections, " connections in ", lately.span, ", ", lately.bad(),
              " failed; longest wait ", lately.longest_wait, ", at most ", lately.most_busy, " busy");
}

std::string totals(const ServiceSnapshot& service) {
  if (!service.counts_connections)
    return line("connections", "its program does not report them") +
           line("queue", service.waiting, " waiting, at most ", service.most_waiting);
  const FiguresSnapshot& total = service.total;
  const std::uint64_t not_accepted = total.early_probes + total.refused_proxy + service.uncounted;
  return line("connections", total.accepted, " accepted = ", total.finished, " finished + ", total.aborted,
              " aborted + ", service.open_connections - service.uncounted, " open") +
         line("", "of the finished: ", total.failed, " failed, ", total.peers_gone, " peer gone, ",
              total.timed_out, " timed out, ", total.probes, " probes") +
         refusals(service) +
         (not_accepted == 0 ? ""
                            : line("", "not accepted: ", total.early_probes, " probes, ", total.refused_proxy,
                                   " refused for their PROXY header, ", service.uncounted, " open")) +
         line("bytes", bytes(total.bytes_read), " read, ", bytes(total.bytes_written), " written") +
         line("latency", latencies(total)) + waits(service) + occupancy(service) + lately(service);
}

// Only if some have.
std::string endings(const ServiceSnapshot& service) {
  std::string all;
  for (std::size_t cause = 0; cause < service.children_ended.size(); ++cause)
    if (const std::uint64_t children = service.children_ended[cause]; children != 0)
      all += text(all.empty() ? "" : ", ", children, ' ', end_cause_names[cause]);
  return all.empty() ? "" : line("", "children ended: ", all);
}

std::string events(const ServiceSnapshot& service) {
  return line("events", "max-clients reached ", service.max_clients_reached, ", connection timeouts ",
              service.connection_timeouts, ", throttled for ", service.throttled_for) +
         line("", "children started ", service.children_started, ", gone ", service.children_gone,
              ", of those failed ", service.children_failed) +
         endings(service) +
         line("", "lock recoveries ", service.recoveries, ", fields repaired ", service.repairs);
}

// As many on a line as go on one of 80 characters.
std::string counters(const ServiceSnapshot& service) {
  constexpr std::size_t longest = 66;
  std::string all, now;
  for (const auto& counter : service.counters) {
    const std::string one = text(harmless(counter.name), ' ', counter.value);
    if (!now.empty() && now.size() + one.size() + 2 > longest) {
      all += line(all.empty() ? "counters" : "", std::exchange(now, ""), ',');
    }
    now += text(now.empty() ? "" : ", ", one);
  }
  return now.empty() ? all : all + line(all.empty() ? "counters" : "", now);
}

std::string flags(const SlotSnapshot& slot) {
  std::string all;
  const auto add = [&all](std::string_view flag) { all += (all.empty() ? "" : ",") + std::string(flag); };
  if (slot.stopped) add("stopped");
  if (slot.asks) add("asks");
  if (slot.reason != Reason::none) add(name_of(slot.reason));
  if (slot.torn) add("torn");
  return all;
}

std::string rows(const ServiceSnapshot& service, std::size_t width) {
  const auto right = Align::right;
  Table table({{"SLOT", right},
               {"PID", right},
               {"STATE"},
               {"GEN", right},
               {"AGE", right},
               {"CONNS", right},
               {"OPEN", right},
               {"BUSY", right},
               {"PRIVATE", right},
               {"CPU", right},
               {"FDS", right},
               {"FLAGS"},
               {"PEER"},
               {"NOTE"}});
  for (const auto& slot : service.slots) {
    if (slot.state == SlotState::empty) continue;
    const bool many = slot.capacity > 1;
    const bool busy = slot.open_connections > 0;
    table.row({text(slot.index), text(slot.pid),
               std::string(slot_state_names[static_cast<std::size_t>(slot.state)]), text(slot.generation),
               text(slot.age), text(slot.figures.accepted),
               many ? text(slot.open_connections, '/', slot.capacity) : "", busy ? text(slot.busy_for) : "-",
               slot.private_memory == 0 ? "" : bytes(slot.private_memory),
               slot.descriptors == 0 ? "" : text(slot.cpu),
               slot.descriptors == 0 ? "" : text(slot.descriptors), flags(slot), harmless(slot.peer),
               harmless(slot.note)});
  }
  return service.children() == 0 ? "no children\n" : table.print(width);
}

}  // namespace

std::string report(const Snapshot& snapshot, const Verdict& verdict, std::size_t width) {
  std::string out = header(snapshot, verdict);
  for (const auto& service : snapshot.services) {
    out += '\n';
    if (snapshot.services.size() > 1) out += line("service", harmless(service.name));
    out += line("state", name_of(service.state),
                service.scaled ? "; the limits differ from the settings (scale)" : "") +
           line("listens on", harmless(service.listeners)) + pool(service) + totals(service) +
           events(service) + counters(service);
    out += '\n' + rows(service, width);
  }
  return out;
}

}  // namespace brood::ctl
