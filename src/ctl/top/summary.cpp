// SPDX-License-Identifier: MIT
// The upper part of a frame: totals, bars, figures over time, and the scoreboard as letters.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/text.hpp"
#include "ctl/top/parts.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

constexpr std::size_t label_width = 8;
constexpr std::size_t figures_width = 34;  // behind a bar or a sparkline

std::size_t width_of_bars(Size size) {
  return size.columns > label_width + figures_width + 10 ? size.columns - label_width - figures_width : 10;
}

std::string_view state_of_parent(const Snapshot& snapshot) {
  if (!snapshot.parent_alive) return "gone";
  if (snapshot.parent_state == 'T') return "stopped";
  if (snapshot.stopping) return "stopping";
  return snapshot.draining ? "draining" : "running";
}

Style style_of_level(std::string_view level) {
  return level == "ok" ? Style::good : level == "warning" ? Style::warning : Style::critical;
}

std::string latencies(const FiguresSnapshot& added) {
  if (added.finished == 0) return "-";
  return text("p50 <", added.latency_at(0.5), "  p99 <", added.latency_at(0.99), "  mean ",
              added.duration / static_cast<std::int64_t>(added.finished));
}

constexpr std::array<std::pair<char, std::string_view>, 7> meanings = {{{'_', "idle"},
                                                                        {'W', "busy"},
                                                                        {'w', "busy with room"},
                                                                        {'S', "starting"},
                                                                        {'G', "leaving"},
                                                                        {'T', "stopped"},
                                                                        {'.', "no child"}}};

// Slots that can't be used, as there are more of them than max-clients, are no places.
std::size_t places_of(const ServiceSnapshot& service) {
  std::size_t places = std::min<std::size_t>(service.max_clients, service.slots.size());
  for (std::size_t i = places; i < service.slots.size(); ++i)
    if (service.slots[i].state != SlotState::empty) places = i + 1;
  return places;
}

}  // namespace

char letter_of(const SlotSnapshot& slot) {
  if (slot.state != SlotState::empty && slot.stopped) return 'T';
  switch (slot.state) {
    case SlotState::starting:
      return 'S';
    case SlotState::idle:
      return '_';
    case SlotState::busy:
      return slot.spare ? 'w' : 'W';
    case SlotState::leaving:
      return 'G';
    case SlotState::empty:
      break;
  }
  return '.';
}

Style style_of(char letter) {
  switch (letter) {
    case '_':
      return Style::idle;
    case 'W':
    case 'w':
      return Style::busy;
    case 'S':
      return Style::starting;
    case 'G':
      return Style::leaving;
    case 'T':
      return Style::warning;
    default:
      return Style::faint;
  }
}

std::string short_bytes(double bytes) {
  constexpr std::string_view units = "BKMGTPE";
  std::size_t unit = 0;
  for (; bytes >= 1023.5 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), unit > 0 && bytes < 9.95 ? "%.1f" : "%.0f", bytes);
  return text(std::string_view(buffer.data()), units[unit]);
}

std::string short_number(double value) {
  std::array<char, 32> buffer{};
  if (value >= 99'999.5)
    std::snprintf(buffer.data(), buffer.size(), "%.0fk", value / 1000);
  else
    std::snprintf(buffer.data(), buffer.size(), value < 9.95 && value != std::floor(value) ? "%.1f" : "%.0f",
                  value);
  return buffer.data();
}

Scope scope_of(const Model& model, const View& view) {
  for (std::size_t i = 0; i < model.snapshot.services.size(); ++i)
    if (!view.services && model.snapshot.services[i].name == view.opened)
      return {.services = {&model.snapshot.services[i]},
              .counts = model.snapshot.services[i],
              .model = &model.services[i]};
  Scope scope{.services = {}, .counts = sum_of(model.snapshot), .model = &model.all};
  for (const auto& service : model.snapshot.services) scope.services.push_back(&service);
  return scope;
}

void draw_head(Canvas& canvas, const Model& model, const View& view, const Scope& scope) {
  const Snapshot& snapshot = model.snapshot;
  std::string level = model.level;
  std::ranges::transform(level, level.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  std::size_t column = canvas.put(0, 0, harmless(snapshot.name), Style::strong);
  if (!view.services && !view.opened.empty() && view.opened != snapshot.name)
    column = canvas.put(column, 0, text(" / ", harmless(view.opened)), Style::strong);
  column = canvas.put(column + 2, 0, level, style_of_level(model.level));
  column = canvas.put(column + 2, 0,
                      text("parent ", snapshot.parent_pid, ' ', state_of_parent(snapshot),
                           snapshot.parent_alive ? ", up " : ", was started ", snapshot.age,
                           snapshot.parent_alive ? "" : " ago"));
  if (scope.services.size() == 1) {
    const ServiceSnapshot& one = *scope.services.front();
    canvas.put(column, 0,
               text("; service ", name_of(one.state), ", generation ", one.generation,
                    one.scaled ? ", scaled" : ""));
  } else {
    canvas.put(column, 0, text(", ", scope.services.size(), " services"));
  }
  if (!scope.counts.counts_connections) {
    canvas.put(0, 1, "conns", Style::faint);
    canvas.put(label_width, 1, "its program does not report them");
    return;
  }
  const FiguresSnapshot& total = scope.counts.total;
  const Rates& rates = scope.model->rates;
  canvas.put(0, 1, "conns", Style::faint);
  canvas.put(
      label_width, 1,
      text(grouped(total.accepted), " accepted, ", short_number(rates.accepted), "/s; ",
           scope.counts.open_connections, " open, ", total.failed, " failed, ", total.aborted, " aborted"));
  canvas.put(0, 2, "time", Style::faint);
  canvas.put(label_width, 2,
             text(latencies(rates.added), "  in ", short_bytes(rates.read_bytes), "/s  out ",
                  short_bytes(rates.written_bytes), "/s"));
}

void draw_bars(Canvas& canvas, std::size_t row, const Scope& scope, bool utf8) {
  const ServiceSnapshot& counts = scope.counts;
  const std::size_t width = width_of_bars(canvas.size());
  const double limit = std::max({counts.max_clients, counts.children(), 1U});
  const auto place = [&](double count) {
    return label_width +
           static_cast<std::size_t>(std::lround(std::min(count / limit, 1.0) * static_cast<double>(width)));
  };
  canvas.put(0, row, "pool", Style::faint);
  double count = 0;
  std::size_t column = label_width;
  const auto part = [&](std::uint32_t more, char32_t block, char ascii, Style style) {
    count += more;
    // What is there is seen: a part has at least one place, if there is one.
    const std::size_t end =
        std::min(std::max(place(count), more > 0 ? column + 1 : column), label_width + width);
    while (column < end) column = canvas.put(column, row, utf8 ? block : static_cast<char32_t>(ascii), style);
  };
  part(counts.busy, U'█', '#', Style::busy);
  part(counts.leaving, U'▓', '%', Style::leaving);
  part(counts.starting, U'▒', '+', Style::starting);
  // What runs a program that does not report its connections is neither idle nor busy.
  part(counts.idle, U'▒', '=', counts.counts_connections ? Style::idle : Style::plain);
  while (column < label_width + width) column = canvas.put(column, row, utf8 ? U'·' : U'.', Style::faint);
  canvas.put(column + 1, row,
             counts.counts_connections ? text(counts.busy, " busy, ", counts.idle, " idle of ",
                                              counts.max_clients, counts.at_max_clients ? ": full" : "")
                                       : text(counts.children(), " of ", counts.max_clients));
  canvas.put(0, row + 1, "waiting", Style::faint);
  column = label_width;
  const std::size_t end = counts.waiting == 0 ? column : std::max(place(counts.waiting), column + 1);
  while (column < end) column = canvas.put(column, row + 1, utf8 ? U'█' : U'#', Style::waiting);
  canvas.put(label_width + width + 1, row + 1, text(counts.waiting, " in the queues"));
}

void draw_sparkline(Canvas& canvas, std::size_t column, std::size_t row, const std::vector<double>& values,
                    Style style, bool utf8) {
  constexpr std::u32string_view blocks = U" ▁▂▃▄▅▆▇█", ascii = U" .:-=+*%#";
  const double most = values.empty() ? 0 : std::ranges::max(values);
  for (const double value : values) {
    // From 1 on if there is anything.
    const auto level =
        value <= 0 || most <= 0
            ? 0
            : std::max<std::size_t>(static_cast<std::size_t>(std::lround(value / most * 8)), 1);
    column = canvas.put(column, row, (utf8 ? blocks : ascii)[std::min<std::size_t>(level, 8)], style);
  }
}

void draw_series(Canvas& canvas, std::size_t row, const Scope& scope, bool utf8) {
  if (!scope.counts.counts_connections) return;
  const std::size_t width = width_of_bars(canvas.size());
  const auto draw = [&](std::size_t at, std::string_view label, const Series& series, Style style) {
    canvas.put(0, at, label, Style::faint);
    const Condensed condensed = condense(series, width);
    draw_sparkline(canvas, label_width + width - condensed.columns.size(), at, condensed.columns, style,
                   utf8);
    if (series.points.empty()) return;
    canvas.put(label_width + width + 1, at,
               text(short_number(series.points.back()), ", most ",
                    short_number(std::ranges::max(series.points)), " in ", condensed.span));
  };
  draw(row, "conn/s", scope.model->connections, Style::good);
  draw(row + 1, "busy", scope.model->busy, Style::busy);
}

std::size_t letters_of(const Scope& scope) {
  std::size_t letters = scope.services.size() - std::min<std::size_t>(scope.services.size(), 1);
  for (const auto* service : scope.services) letters += places_of(*service);
  return letters;
}

void draw_letters(Canvas& canvas, std::size_t row, std::size_t rows, const Scope& scope) {
  std::string all;  // a blank between services
  for (const auto* service : scope.services) {
    if (!all.empty()) all += ' ';
    for (std::size_t i = 0; i < places_of(*service); ++i) all += letter_of(service->slots[i]);
  }
  std::size_t column = 0;
  for (const auto& [letter, what] : meanings) {
    const auto number = std::ranges::count(all, letter);
    if (number == 0 && letter == 'w') continue;
    column = canvas.put(column, row, static_cast<char32_t>(letter), style_of(letter));
    column = canvas.put(column, row, text(' ', what, ' ', number)) + 2;
  }
  const std::size_t columns = canvas.size().columns, room = rows * columns;
  std::string more;
  if (all.size() > room) more = text(" +", all.size() - room, " more");
  // The text takes places, too.
  if (!more.empty()) more = text(" +", all.size() - room + std::min(room, more.size()), " more");
  const std::size_t shown = std::min(all.size(), room - std::min(room, more.size()));
  for (std::size_t i = 0; i < shown; ++i)
    canvas.put(i % columns, row + 1 + i / columns, static_cast<char32_t>(all[i]), style_of(all[i]));
  if (!more.empty() && rows > 0) canvas.put(columns - std::min(columns, more.size()), row + rows, more);
}

}  // namespace brood::ctl
