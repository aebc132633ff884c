// SPDX-License-Identifier: MIT
// Which children and services are shown, and in which order.
#include <algorithm>
#include <compare>
#include <functional>
#include <tuple>

#include "ctl/top/view.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool passes(const Filters& filters, const SlotSnapshot& slot) {
  return slot.state != SlotState::empty && time_in_state(slot) >= filters.at_least &&
         (contains(harmless(slot.note), filters.note) || contains(harmless(slot.peer), filters.note));
}

// Of the states: busy children come first.
int rank(SlotState state) {
  switch (state) {
    case SlotState::busy:
      return 4;
    case SlotState::leaving:
      return 3;
    case SlotState::starting:
      return 2;
    case SlotState::idle:
      return 1;
    case SlotState::empty:
      break;
  }
  return 0;
}

// Numbers are sorted from the highest down, texts and pids from the lowest up.
std::function<bool(const Row&, const Row&)> order_of(Column column) {
  const auto by_number = [](auto value) {
    return [value](const Row& a, const Row& b) { return value(a) > value(b); };
  };
  const auto by_text = [](auto value) {
    return [value](const Row& a, const Row& b) { return value(a) < value(b); };
  };
  switch (column) {
    case Column::pid:
      return by_text([](const Row& row) { return row.slot->pid; });
    case Column::service:
      return by_text([](const Row& row) -> const std::string& { return row.service->name; });
    case Column::state:
      return by_number([](const Row& row) {
        return std::tuple(rank(row.slot->state), row.slot->open_connections > 0, time_in_state(*row.slot));
      });
    case Column::time:
      return by_number([](const Row& row) { return time_in_state(*row.slot); });
    case Column::cpu:
      return by_number(
          [](const Row& row) { return row.process != nullptr ? row.process->processors.value_or(-1) : -2; });
    case Column::memory:
      return by_number([](const Row& row) { return row.process != nullptr ? row.process->memory_bytes : 0; });
    case Column::connections:
      return by_number([](const Row& row) { return row.slot->figures.accepted; });
    case Column::rate:
      return by_number([](const Row& row) { return row.rate; });
    case Column::open:
      return by_number([](const Row& row) { return row.slot->open_connections; });
    case Column::note:
      return by_text([](const Row& row) -> const std::string& { return row.slot->note; });
    case Column::peer:
      break;
  }
  return by_text([](const Row& row) -> const std::string& { return row.slot->peer; });
}

}  // namespace

std::vector<Row> rows_of(const Model& model, const View& view) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < model.snapshot.services.size(); ++i) {
    const ServiceSnapshot& service = model.snapshot.services[i];
    if (!view.opened.empty() ? service.name != view.opened
                             : !contains(harmless(service.name), view.filters.service))
      continue;
    for (std::size_t at = 0; at < service.slots.size(); ++at) {
      const SlotSnapshot& slot = service.slots[at];
      if (!passes(view.filters, slot)) continue;
      const auto process = model.processes.find(slot.pid);
      rows.push_back({.service = &service,
                      .slot = &slot,
                      .rate = model.services[i].child_rates[at],
                      .process = process == model.processes.end() ? nullptr : &process->second});
    }
  }
  const auto before = order_of(view.sort);
  std::ranges::stable_sort(
      rows, [&](const Row& a, const Row& b) { return view.reversed ? before(b, a) : before(a, b); });
  return rows;
}

std::vector<const ServiceSnapshot*> services_of(const Model& model, const View& view) {
  std::vector<const ServiceSnapshot*> all;
  for (const auto& service : model.snapshot.services)
    if (contains(harmless(service.name), view.filters.service)) all.push_back(&service);
  return all;
}

std::vector<Column> columns_of(const Model& model, const View& view) {
  const bool many = std::ranges::any_of(model.snapshot.services, [](const auto& service) {
    return std::ranges::any_of(service.slots, [](const auto& slot) { return slot.capacity > 1; });
  });
  std::vector<Column> columns;
  for (std::size_t i = 0; i < column_names.size(); ++i) columns.push_back(static_cast<Column>(i));
  if (!many) std::erase(columns, Column::open);
  if (!view.opened.empty() || model.snapshot.services.size() == 1) std::erase(columns, Column::service);
  return columns;
}

}  // namespace brood::ctl
