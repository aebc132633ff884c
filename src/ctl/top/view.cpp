// SPDX-License-Identifier: MIT
#include "ctl/top/view.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"
#include "ctl/top/help_page.hpp"
#include "ctl/top/screen/keys.hpp"
#include "scoreboard/report/words.hpp"

namespace brood::ctl {
namespace {

using Kind = Action::Kind;

// Selects the item that is so far from the selected one; `row`: of the selected one.
template <typename Items, typename Selected, typename Name>
void move(const Items& items, Selected& selected, const Name& name, std::ptrdiff_t by, std::size_t& row) {
  if (items.empty()) return;
  const auto is = std::ranges::find_if(items, [&](const auto& item) { return name(item) == selected; });
  if (is != items.end()) row = static_cast<std::size_t>(is - items.begin());
  row = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(row) + by, 0,
                                                            static_cast<std::ptrdiff_t>(items.size()) - 1));
  selected = name(items[row]);
}

const auto pid_of = [](const Row& row) { return row.slot->pid; };
const auto name_of_service = [](const ServiceSnapshot* service) { return service->name; };

void move_selection(View& view, const Model& model, std::ptrdiff_t by) {
  if (view.services)
    move(services_of(model, view), view.selected_service, name_of_service, by, view.row);
  else
    move(rows_of(model, view), view.selected, pid_of, by, view.row);
}

// By how much a key moves. 0: it does not.
std::ptrdiff_t step_of(int key, std::size_t room) {
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(room, 2) - 1);
  constexpr std::ptrdiff_t all = 1 << 20;
  switch (key) {
    case up:
    case 'k':
      return -1;
    case down:
    case 'j':
      return 1;
    case page_up:
      return -page;
    case page_down:
    case ' ':
      return page;
    case home:
    case 'g':
      return -all;
    case Key::end:
    case 'G':
      return all;
    default:
      return 0;
  }
}

void sort_by_neighbour(View& view, const Model& model, std::ptrdiff_t by) {
  const auto columns = columns_of(model, view);
  std::size_t at = 0;
  move(
      columns, view.sort, [](Column column) { return column; }, by, at);
  view.reversed = false;
}

const Row* selected_row(const std::vector<Row>& rows, const View& view) {
  const auto is = std::ranges::find(rows, view.selected, pid_of);
  return is == rows.end() ? nullptr : &*is;
}

void ask_about(View& view, const Model& model, Prompt prompt) {
  const auto rows = rows_of(model, view);
  if (prompt == Prompt::retire && (view.services || selected_row(rows, view) == nullptr))
    view.message = "no child is selected";
  else
    view.prompt = prompt;
  view.asked = view.selected;
  view.typed.clear();
}

void open(View& view, std::string service) {
  view.services = false;
  view.opened = std::move(service);
  view.selected = 0;
  view.row = view.top = 0;
}

void back(View& view, const Model& model) {
  const Filters& filters = view.filters;
  const bool filtered = !filters.note.empty() || !filters.service.empty() || filters.at_least.count() > 0;
  if (filtered)
    view.filters = {};
  else if (model.snapshot.services.size() != 1)
    view.services = true;
  view.top = 0;
}

// What was typed behind a question.
void accept(View& view) {
  const std::string typed = std::exchange(view.typed, "");
  const Prompt prompt = std::exchange(view.prompt, Prompt::none);
  view.top = 0;
  if (prompt == Prompt::note) view.filters.note = typed;
  if (prompt == Prompt::service) view.filters.service = typed;
  if (prompt != Prompt::time) return;
  try {
    view.filters.at_least =
        typed.empty() ? std::chrono::milliseconds(0)
                      : parse_duration(typed, std::chrono::milliseconds(0), std::chrono::hours(24 * 365));
  } catch (const Error& error) {
    view.message = text("'", harmless(typed), "' ", harmless(error.what()));
  }
}

Action answer(View& view, int key) {
  const bool question = view.prompt == Prompt::retire || view.prompt == Prompt::reload;
  if (question) {
    const Prompt prompt = std::exchange(view.prompt, Prompt::none);
    if (key != 'y' && key != 'Y') {
      view.message = "nothing was ordered";
      return {};
    }
    if (prompt == Prompt::retire) return {.kind = Kind::retire, .pid = view.asked};
    return {.kind = Kind::reload, .service = view.services ? view.selected_service : view.opened};
  }
  if (key == enter) accept(view);
  if (key == escape) view.prompt = Prompt::none;
  if (key == backspace && !view.typed.empty()) view.typed.pop_back();
  constexpr std::size_t longest = 60;
  if (key >= ' ' && key < 0x7f && view.typed.size() < longest) view.typed += static_cast<char>(key);
  return {};
}

void turn(Page& page, int key, std::size_t room) {
  const std::ptrdiff_t by = step_of(key, room);
  if (by == 0) {
    page = {};
    return;
  }
  const auto last = static_cast<std::ptrdiff_t>(page.lines.size() - std::min(page.lines.size(), room));
  page.top = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(page.top) + by, 0, last));
}

}  // namespace

View first_view(const Model& model, const std::string& service) {
  View view;
  view.services = service.empty() && model.snapshot.services.size() != 1;
  view.opened = service;
  if (service.empty() && !view.services) view.opened = model.snapshot.services.front().name;
  return view;
}

void settle(View& view, const Model& model, std::size_t room) {
  move_selection(view, model, 0);
  if (view.prompt == Prompt::retire && view.selected != view.asked) {
    view.prompt = Prompt::none;
    view.message = text("child ", view.asked, " is no longer shown; nothing was ordered");
  }
  room = std::max<std::size_t>(room, 1);
  const std::size_t all = view.services ? services_of(model, view).size() : rows_of(model, view).size();
  view.row = std::min(view.row, std::max<std::size_t>(all, 1) - 1);
  view.top = std::min(view.top, all - std::min(all, room));
  view.top = std::clamp(view.top, view.row - std::min(view.row, room - 1), view.row);
}

Action press(View& view, const Model& model, int key, std::size_t room) {
  view.message.clear();
  if (view.prompt != Prompt::none) return answer(view, key);
  if (!view.page.lines.empty()) {
    turn(view.page, key, room);
    return {};
  }
  if (const auto by = step_of(key, room); by != 0) {
    move_selection(view, model, by);
    return {};
  }
  switch (key) {
    case 'q':
      return {.kind = Kind::quit};
    case 'h':
    case '?':
      view.page = {.lines = help_page()};
      break;
    case enter:
      if (view.services && !view.selected_service.empty()) open(view, view.selected_service);
      break;
    case 'a':
      open(view, "");
      break;
    case escape:
    case backspace:
      back(view, model);
      break;
    case '<':
    case left:
      sort_by_neighbour(view, model, -1);
      break;
    case '>':
    case right:
      sort_by_neighbour(view, model, 1);
      break;
    case 'i':
      view.reversed = !view.reversed;
      break;
    case '/':
    case 'n':
      ask_about(view, model, Prompt::note);
      break;
    case 't':
      ask_about(view, model, Prompt::time);
      break;
    case 'v':
      ask_about(view, model, Prompt::service);
      break;
    case 'x':
      ask_about(view, model, Prompt::retire);
      break;
    case 'R':
      ask_about(view, model, Prompt::reload);
      break;
    case 's':
      if (!view.services && view.selected != 0) return {.kind = Kind::stack, .pid = view.selected};
      break;
    default:
      break;
  }
  return {};
}

}  // namespace brood::ctl
