// SPDX-License-Identifier: MIT
// The lower part of a frame: the children, or the services.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "base/text.hpp"
#include "ctl/top/parts.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

struct Place {
  std::size_t width;
  bool right;
};

Place place_of(Column column) {
  switch (column) {
    case Column::pid:
      return {.width = 7, .right = true};
    case Column::service:
    case Column::state:
      return {.width = 10, .right = false};
    case Column::cpu:
      return {.width = 5, .right = true};
    case Column::memory:
      return {.width = 5, .right = true};
    case Column::connections:
      return {.width = 8, .right = true};
    case Column::time:
    case Column::rate:
    case Column::open:
      return {.width = 7, .right = true};
    case Column::note:
    case Column::peer:
      break;
  }
  return {.width = 5, .right = false};
}

// The widest cell decides, as long as it does not shift the others.
bool adapts(Column column) { return column == Column::note || column == Column::peer; }

std::string percent(double processors) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), processors < 0.0995 ? "%.1f%%" : "%.0f%%", processors * 100);
  return buffer.data();
}

std::string cell_of(const Row& row, Column column) {
  const SlotSnapshot& slot = *row.slot;
  const bool of_connections =
      column == Column::connections || column == Column::rate || column == Column::open;
  if (of_connections && !row.service->counts_connections) return "-";
  switch (column) {
    case Column::pid:
      return text(slot.pid);
    case Column::service:
      return harmless(row.service->name);
    case Column::state:
      return text(letter_of(slot), ' ',
                  slot.stopped ? "stopped" : slot_state_names[static_cast<std::size_t>(slot.state)]);
    case Column::time:
      return text(time_in_state(slot));
    case Column::cpu:
      return row.process == nullptr || !row.process->processors ? "-" : percent(*row.process->processors);
    case Column::memory:
      return row.process == nullptr ? "-" : short_bytes(static_cast<double>(row.process->memory_bytes));
    case Column::connections:
      return text(slot.figures.accepted);
    case Column::rate:
      return short_number(row.rate);
    case Column::open:
      return text(slot.open_connections, '/', slot.capacity);
    case Column::note:
      return harmless(slot.note);
    case Column::peer:
      break;
  }
  return harmless(slot.peer);
}

std::size_t put_cell(Canvas& canvas, std::size_t column, std::size_t row, std::string text, Place place,
                     Style style) {
  if (place.right && text.size() < place.width) text.insert(0, place.width - text.size(), ' ');
  canvas.put(column, row,
             std::string_view(text).substr(0, std::max(place.width, place.right ? text.size() : 0)), style);
  return column + place.width + 1;
}

}  // namespace

std::size_t draw_children(Canvas& canvas, std::size_t row, std::size_t end, const Model& model,
                          const View& view, bool selectable) {
  if (row >= end) return row;
  const auto rows = rows_of(model, view);
  const auto columns = columns_of(model, view);
  const std::size_t first = selectable ? view.top : 0;
  const std::size_t last = std::min(rows.size(), first + (end - row - 1));
  std::vector<Place> places;
  for (const Column column : columns) {
    Place place = place_of(column);
    if (adapts(column))
      for (std::size_t i = first; i < last; ++i)
        place.width = std::max(place.width, cell_of(rows[i], column).size());
    places.push_back(place);
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool sorted = columns[i] == view.sort;
    at = put_cell(canvas, at, row, text(name_of(columns[i]), sorted ? view.reversed ? "^" : "*" : ""),
                  places[i], Style::plain);
  }
  canvas.paint(row++, Style::heading);
  for (std::size_t i = first; i < last; ++i, ++row) {
    at = 0;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const bool is_state = columns[c] == Column::state;
      at = put_cell(canvas, at, row, cell_of(rows[i], columns[c]), places[c],
                    is_state ? style_of(letter_of(*rows[i].slot)) : Style::plain);
    }
    if (selectable && rows[i].slot->pid == view.selected) canvas.paint(row, Style::selected);
  }
  if (rows.empty() && row < end)
    canvas.put(2, row++, "no child, or none that passes the filters", Style::faint);
  return row;
}

std::size_t draw_services(Canvas& canvas, std::size_t row, std::size_t end, const Model& model,
                          const View& view, const Target& target) {
  if (row >= end) return row;
  const auto services = services_of(model, view);
  std::size_t longest = 7;
  for (const auto* service : services)
    longest = std::max(longest, std::min<std::size_t>(harmless(service->name).size(), 24));
  const std::array<Place, 9> places = {{{longest, false},
                                        {8, false},
                                        {9, true},
                                        {6, true},
                                        {6, true},
                                        {7, true},
                                        {7, true},
                                        {8, true},
                                        {20, false}}};
  const auto draw = [&](std::size_t at_row, const std::array<std::string, 9>& cells, Style state) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < cells.size(); ++i)
      at = put_cell(canvas, at, at_row, cells[i], places[i], i == 1 ? state : Style::plain);
  };
  draw(row, {"SERVICE", "STATE", "CHILDREN", "BUSY", "IDLE", "WAIT", "CONN/S", "P99<", "BUSY CHILDREN"},
       Style::plain);
  canvas.paint(row++, Style::heading);
  std::size_t spark = 0;
  for (std::size_t i = 0; i + 1 < places.size(); ++i) spark += places[i].width + 1;
  for (std::size_t i = view.top; i < services.size() && row < end; ++i, ++row) {
    const ServiceSnapshot& service = *services[i];
    const auto index = static_cast<std::size_t>(services[i] - model.snapshot.services.data());
    const ServiceModel& figures = model.services[index];
    const auto& added = figures.rates.added;
    const bool counts = service.counts_connections;
    draw(row,
         {harmless(service.name), std::string(name_of(service.state)),
          text(service.children(), '/', service.max_clients), counts ? text(service.busy) : "-",
          counts ? text(service.idle) : "-", text(service.waiting),
          counts ? short_number(figures.rates.accepted) : "-",
          added.finished == 0 ? "-" : text(added.latency_at(0.99)), ""},
         service.state == ServiceState::running  ? Style::good
         : service.state == ServiceState::failed ? Style::critical
                                                 : Style::warning);
    const std::size_t columns = target.size.columns;
    draw_sparkline(canvas, spark, row, condense(figures.busy, columns - std::min(columns, spark)).columns,
                   Style::busy, target.utf8);
    if (service.name == view.selected_service && target.keys) canvas.paint(row, Style::selected);
  }
  if (services.empty() && row < end)
    canvas.put(2, row++, "no service, or none that passes the filter", Style::faint);
  return row;
}

}  // namespace brood::ctl
