// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>

#include "table.hpp"
#include "words.hpp"

namespace brood::ctl {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

// "label        what is to be said of it"
std::string line(std::string label, const std::string& text) {
  constexpr std::size_t label_width = 13;
  label.resize(label_width, ' ');
  return label + text + '\n';
}

std::string state_of_parent(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return "gone";
  switch (snapshot.parent_state) {
    case 'T':
      return "stopped";
    case 't':
      return "held by a debugger";
    default:
      return snapshot.stopping ? "stopping" : "running";
  }
}

std::string header(const Snapshot& snapshot, const Verdict& verdict) {
  std::string level(name_of(verdict.level));
  std::transform(level.begin(), level.end(), level.begin(),
                 [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string out = level + ": " + harmless(snapshot.name) + ", parent " +
                    std::to_string(snapshot.parent_pid) + ' ' + state_of_parent(snapshot) +
                    (snapshot.parent_alive ? ", up " : ", was started ") + duration(snapshot.age) +
                    (snapshot.parent_alive ? "" : " ago") +
                    (snapshot.upgrades > 0 ? ", upgraded " + number(snapshot.upgrades) + " time(s)\n" : "\n");
  for (const auto& problem : verdict.problems) out += "  " + problem.text + '\n';
  return out;
}

std::string detached(const ServiceSnapshot& service) {
  return service.detached == 0 ? "" : "; besides " + number(service.detached) + " detached";
}

std::string pool(const ServiceSnapshot& service) {
  return line("children", number(service.children()) + " of max-clients " + number(service.max_clients) +
                              ": " + number(service.idle) + " idle, " + number(service.busy) + " busy, " +
                              number(service.starting) + " starting, " + number(service.leaving) +
                              " leaving") +
         line("", "of those " + number(service.spare) + " spare, " + number(service.stopped) + " stopped, " +
                      number(service.lost) + " lost" + detached(service) + "; generation " +
                      number(service.generation)) +
         line("limits", "start " + number(service.start_servers) + ", spare " +
                            number(service.min_spare_servers) + " to " + number(service.max_spare_servers) +
                            ", requests a child " +
                            (service.max_requests_per_child == 0 ? "unlimited"
                                                                 : number(service.max_requests_per_child)));
}

std::string latencies(const FiguresSnapshot& total) {
  if (total.latency_at(1).count() == 0) return "none finished yet";
  return "p50 " + upper_end(total.latency_at(0.5)) + ", p90 " + upper_end(total.latency_at(0.9)) + ", p99 " +
         upper_end(total.latency_at(0.99));
}

std::string totals(const ServiceSnapshot& service) {
  const FiguresSnapshot& total = service.total;
  return line("connections", number(total.accepted) + " accepted = " + number(total.finished) +
                                 " finished + " + number(total.aborted) + " aborted + " +
                                 number(service.open_connections) + " in hand") +
         line("", number(total.failed) + " of the finished failed") +
         line("bytes", bytes(total.bytes_read) + " read, " + bytes(total.bytes_written) + " written") +
         line("latency", latencies(total));
}

std::string events(const Snapshot& snapshot, const ServiceSnapshot& service) {
  return line("events", "max-clients reached " + number(service.max_clients_reached) +
                            ", connection timeouts " + number(service.connection_timeouts) +
                            ", throttled for " + duration(service.throttled_for)) +
         line("", "children started " + number(service.children_started) + ", gone " +
                      number(service.children_gone) + ", of those failed " +
                      number(service.children_failed)) +
         line("", "lock recoveries " + number(snapshot.recoveries) + ", fields repaired " +
                      number(snapshot.repairs));
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
  const bool many = std::any_of(service.slots.begin(), service.slots.end(),
                                [](const SlotSnapshot& slot) { return slot.capacity > 1; });
  Table table;
  table.column("SLOT", Align::right);
  table.column("PID", Align::right);
  table.column("STATE", Align::left);
  table.column("GEN", Align::right);
  table.column("AGE", Align::right);
  table.column("CONNS", Align::right);
  if (many) table.column("OPEN", Align::right);
  table.column("BUSY", Align::right);
  table.column("FLAGS", Align::left);
  table.column("PEER", Align::left);
  table.column("NOTE", Align::left);
  for (const auto& slot : service.slots) {
    if (slot.state == SlotState::empty) continue;
    std::vector<std::string> cells = {number(slot.index),
                                      std::to_string(slot.pid),
                                      std::string(slot_state_names[static_cast<std::size_t>(slot.state)]),
                                      number(slot.generation),
                                      duration(slot.age),
                                      number(slot.figures.accepted)};
    if (many) cells.push_back(number(slot.open_connections) + '/' + number(slot.capacity));
    cells.insert(cells.end(), {slot.open_connections > 0 ? duration(slot.busy_for) : "-", flags(slot),
                               harmless(slot.peer), harmless(slot.note)});
    table.row(std::move(cells));
  }
  return service.children() == 0 ? "no children\n" : table.print(width);
}

}  // namespace

std::string report(const Snapshot& snapshot, const Verdict& verdict, std::size_t width) {
  std::string out = header(snapshot, verdict);
  for (const auto& service : snapshot.services) {
    out += '\n';
    if (snapshot.services.size() > 1) out += line("service", harmless(service.name));
    out += line("state", std::string(name_of(service.state)) +
                             (service.scaled ? "; the limits differ from the settings (scale)" : "")) +
           line("listens on", harmless(service.listeners)) + pool(service) + totals(service) +
           events(snapshot, service);
    out += '\n' + rows(service, width);
  }
  return out;
}

}  // namespace brood::ctl
