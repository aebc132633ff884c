// SPDX-License-Identifier: MIT
#include "ctl/top/frame.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "ctl/top/parts.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

// Where the parts begin. What there is no room for is left out; 0: it is.
struct Layout {
  std::size_t bars = 0, series = 0, letters = 0;
  std::size_t rows_of_letters = 0;
  std::size_t message = 3, table = 4, end = 4;  // `end`: the row behind the table, with the keys
};

Layout layout_of(const Scope& scope, const Target& target) {
  const auto [columns, rows] = target.size;
  Layout layout;
  std::size_t row = 3;
  const auto take = [&](std::size_t number) { return std::exchange(row, row + number); };
  if (rows >= 12) layout.bars = take(2);
  if (rows >= 16) layout.series = take(2);
  if (rows >= 18 && columns > 0) {
    const std::size_t needed = (letters_of(scope) + columns - 1) / columns;
    layout.rows_of_letters = std::clamp<std::size_t>(needed, 1, (rows - 12) / 4);
    layout.letters = take(1 + layout.rows_of_letters);
  }
  layout.message = take(1);
  layout.table = row;
  layout.end = std::max(row, rows - std::min<std::size_t>(rows, target.keys ? 1 : 0));
  return layout;
}

std::string question_of(const View& view) {
  switch (view.prompt) {
    case Prompt::note:
      return text("only with this in the note or peer: ", view.typed, '_');
    case Prompt::time:
      return text("only if in their state for at least (500ms, 5s, 2m): ", view.typed, '_');
    case Prompt::service:
      return text("only services with this in their name: ", view.typed, '_');
    case Prompt::retire:
      return text("retire child ", view.asked, "? It finishes its connections and leaves. y/n");
    case Prompt::reload: {
      const std::string& service = view.services ? view.selected_service : view.opened;
      return text("reload ", service.empty() ? "all services" : harmless(service), "? y/n");
    }
    case Prompt::none:
      break;
  }
  return "";
}

std::string filters_of(const View& view) {
  const Filters& filters = view.filters;
  std::string out;
  const auto add = [&](std::string_view what, const std::string& value) {
    if (!value.empty()) out += text(out.empty() ? "only " : ", ", what, ' ', value);
  };
  add("with", filters.note);
  add("for at least",
      filters.at_least.count() == 0
          ? ""
          : write_duration(std::chrono::duration_cast<std::chrono::milliseconds>(filters.at_least)));
  add("services with", filters.service);
  return out;
}

void draw_message(Canvas& canvas, std::size_t row, const Model& model, const View& view) {
  if (!view.message.empty())
    canvas.put(0, row, view.message, Style::strong);
  else if (!model.trouble.empty())
    canvas.put(0, row, model.trouble, Style::critical);
  else if (const std::string filters = filters_of(view); !filters.empty())
    canvas.put(0, row, filters, Style::strong);
  else if (!model.problems.empty())
    canvas.put(0, row, model.problems.front(), Style::warning);
}

void draw_keys(Canvas& canvas, std::size_t row, const View& view) {
  if (view.prompt != Prompt::none) {
    canvas.put(0, row, question_of(view), Style::strong);
    return;
  }
  if (!view.page.lines.empty()) {
    canvas.put(0, row, " up down  any other key: back");
  } else if (view.services) {
    canvas.put(0, row, " h help  Enter open  a all children  v service  R reload  q quit");
  } else {
    canvas.put(0, row, " h help  < > sort  i invert  / note  t time  s stack  x retire  R reload  q quit");
  }
  canvas.paint(row, Style::heading);
}

}  // namespace

std::size_t room_for_rows(const Model& model, const View& view, const Target& target) {
  const Layout layout = layout_of(scope_of(model, view), target);
  const std::size_t heading = view.page.lines.empty() ? 1 : 0;
  return layout.end - std::min(layout.end, layout.table + heading);
}

Canvas draw(const Model& model, const View& view, const Target& target) {
  Canvas canvas(target.size);
  const Scope scope = scope_of(model, view);
  const Layout layout = layout_of(scope, target);
  draw_head(canvas, model, view, scope);
  if (layout.bars > 0) draw_bars(canvas, layout.bars, scope, target.utf8);
  if (layout.series > 0) draw_series(canvas, layout.series, scope, target.utf8);
  if (layout.letters > 0) draw_letters(canvas, layout.letters, layout.rows_of_letters, scope);
  draw_message(canvas, layout.message, model, view);
  if (!view.page.lines.empty()) {
    for (std::size_t i = view.page.top, row = layout.table; i < view.page.lines.size() && row < layout.end;
         ++i)
      canvas.put(0, row++, view.page.lines[i]);
  } else if (view.services) {
    const std::size_t behind = draw_services(canvas, layout.table, layout.end, model, view, target);
    if (behind + 3 < layout.end) draw_children(canvas, behind + 1, layout.end, model, view, false);
  } else {
    draw_children(canvas, layout.table, layout.end, model, view, target.keys);
  }
  if (target.keys && layout.end < target.size.rows) {
    canvas.clear(layout.end);
    draw_keys(canvas, layout.end, view);
  }
  return canvas;
}

}  // namespace brood::ctl
