// SPDX-License-Identifier: MIT
// The parts of broodctl top: rates, series, keys, what keys do, what a terminal can do.
#include <doctest/doctest.h>
#include <unistd.h>

#include <array>

#include "ctl/top/parts.hpp"
#include "ctl/top/screen/abilities.hpp"
#include "ctl/top/screen/keys.hpp"
#include "top_model.hpp"

using namespace brood;
using namespace brood::ctl;
using namespace brood::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t room = 4;

std::vector<pid_t> pids(const Model& model, const View& view) {
  std::vector<pid_t> all;
  for (const Row& row : rows_of(model, view)) all.push_back(row.slot->pid);
  return all;
}

Action type(View& view, const Model& model, std::string_view keys) {
  Action action;
  for (const char key : keys)
    action = press(view, model, key == '\n' ? static_cast<int>(Key::enter) : key, room);
  settle(view, model, room);
  return action;
}

using Pids = std::vector<pid_t>;
using Keys = std::vector<int>;

}  // namespace

TEST_CASE("top: rates are what was added, a second, and nothing goes back") {
  const FiguresSnapshot before{.accepted = 10, .finished = 8, .bytes_read = 500};
  const FiguresSnapshot now{.accepted = 30, .finished = 4, .bytes_read = 1500};
  const Rates rates = rates_between(before, now, 2s);
  CHECK(rates.accepted == 10);
  CHECK(rates.finished == 0);
  CHECK(rates.read_bytes == 500);
  CHECK(rates.added.accepted == 20);
  CHECK(rates_between(before, now, 0s).accepted == 0);
}

TEST_CASE("top: a server that was started again is not compared with the one before") {
  Model model = model_of(server_of({web()}));
  CHECK(model.all.rates.accepted == 120);
  CHECK(model.all.connections.points.size() == 1);
  Snapshot next = server_of({web()});
  next.parent_pid = 5;
  model = after(model, next, {});
  CHECK(model.all.rates.accepted == 0);
  CHECK(model.all.connections.points.empty());
  CHECK(model.all.busy.points.size() == 1);
  next.age += 1s;
  next.services[0].name = "another";
  model = after(model, next, {});
  CHECK(model.services[0].rates.accepted == 0);
}

TEST_CASE("top: a series keeps ten minutes, and its columns keep their points") {
  Series series;
  for (int i = 0; i < 700; ++i) series.add(i);
  CHECK(series.points.size() == longest_series);
  CHECK(series.points.front() == 100);
  const Condensed whole = condense(series, 1000);
  CHECK(whole.columns.size() == longest_series);
  CHECK(whole.span == 600s);
  const Condensed some = condense(series, 60);
  CHECK(some.columns.size() <= 60);
  CHECK(some.columns.size() >= 50);
  series.add(700);
  const Condensed next = condense(series, 60);
  CHECK(next.columns[2] == some.columns[2]);
  CHECK(condense(Series{}, 10).columns.empty());
  CHECK(condense(series, 0).columns.empty());
}

TEST_CASE("top: figures in a few characters") {
  CHECK(short_bytes(0) == "0B");
  CHECK(short_bytes(1023) == "1023B");
  CHECK(short_bytes(1024) == "1.0K");
  CHECK(short_bytes(10.0 * 1024 * 1024) == "10M");
  CHECK(short_number(0) == "0");
  CHECK(short_number(1.25) == "1.2");
  CHECK(short_number(1234.4) == "1234");
  CHECK(short_number(123'456) == "123k");
}

TEST_CASE("top: the keys of a terminal, whole and in pieces") {
  std::string received = "a\x1b[A\x1bOB\x1b[5~\r\x7f\x1b[1;5Cz\x1b[";
  CHECK(take_keys(received, false) ==
        Keys{'a', Key::up, Key::down, Key::page_up, Key::enter, Key::backspace, 'z'});
  CHECK(received == "\x1b[");
  received += "B";
  CHECK(take_keys(received, false) == Keys{Key::down});
  received = "\x1b";
  CHECK(take_keys(received, false).empty());
  CHECK(take_keys(received, true) == Keys{Key::escape});
  CHECK(received.empty());
  received =
      "\x1b"
      "q";
  CHECK(take_keys(received, false) == Keys{Key::escape, 'q'});
}

TEST_CASE("top: children are sorted by any column, the busiest first") {
  const Model model = model_of(server_of({web()}));
  View view = first_view(model, "");
  CHECK(pids(model, view) == Pids{1002, 1001, 1004, 1003, 1005, 1000});
  view.sort = Column::pid;
  CHECK(pids(model, view) == Pids{1000, 1001, 1002, 1003, 1004, 1005});
  view.reversed = true;
  CHECK(pids(model, view).front() == 1005);
  view.reversed = false;
  view.sort = Column::time;
  CHECK(pids(model, view).front() == 1003);
  for (const Column column : {Column::cpu, Column::memory, Column::rate, Column::connections}) {
    view.sort = column;
    CHECK(pids(model, view).front() == 1002);
  }
  view.sort = Column::note;
  view.reversed = true;
  CHECK(pids(model, view).front() == 1001);
  view = first_view(model, "");
  type(view, model, ">");
  CHECK(view.sort == Column::time);
  type(view, model, "<<<<<i");
  CHECK(view.sort == Column::pid);
  CHECK(pids(model, view).front() == 1005);
}

TEST_CASE("top: filters by note or peer, by time, by service") {
  ServiceSnapshot mail = web();
  mail.name = "mail";
  for (auto& slot : mail.slots) slot.pid = slot.pid == 0 ? 0 : slot.pid + 1000;
  const Model model = model_of(server_of({web(), mail}));
  View view = first_view(model, "");
  type(view, model, "a/long\n");
  CHECK(pids(model, view) == Pids{1002, 2002});
  type(view, model, "vmai\n");
  CHECK(pids(model, view) == Pids{2002});
  type(view, model, "/192.0.2.7\n");
  CHECK(pids(model, view) == Pids{2002, 2001});
  type(view, model, "t1s\n");
  CHECK(pids(model, view) == Pids{2002});
  type(view, model, "tsoon\n");
  CHECK(view.message.starts_with("'soon' "));
  CHECK(pids(model, view) == Pids{2002});
  press(view, model, Key::escape, room);
  CHECK(pids(model, view).size() == 12);
  CHECK_FALSE(view.services);
  press(view, model, Key::escape, room);
  CHECK(view.services);
  type(view, model, "vx\n");
  CHECK(services_of(model, view).empty());
  CHECK(type(view, model, "\n").kind == Action::Kind::none);
}

TEST_CASE("top: Enter opens a service, Escape goes back") {
  ServiceSnapshot mail = web();
  mail.name = "mail";
  const Model model = model_of(server_of({web(), mail}));
  View view = first_view(model, "");
  settle(view, model, room);
  type(view, model, "j\n");
  CHECK_FALSE(view.services);
  CHECK(view.opened == "mail");
  press(view, model, Key::escape, room);
  CHECK(view.services);
  CHECK(first_view(model, "mail").opened == "mail");
}

TEST_CASE("top: the selection stays on its child, and moves the rows that are shown") {
  Model model = model_of(server_of({web()}));
  View view = first_view(model, "");
  settle(view, model, room);
  CHECK(view.selected == 1002);
  type(view, model, "jjjj");
  CHECK(view.selected == 1005);
  CHECK(view.top == 1);
  type(view, model, "G");
  CHECK(view.selected == 1000);
  CHECK(view.top == 2);
  type(view, model, "kj");
  CHECK(view.selected == 1000);
  type(view, model, "g");
  CHECK(view.top == 0);
  type(view, model, "jj");
  CHECK(view.selected == 1004);
  model.snapshot.services[0].slots[4] = {};  // it has left: the next one stands in its place
  settle(view, model, room);
  CHECK(view.selected == 1003);
}

TEST_CASE("top: an order is given after a question that is answered with y, about the child that was asked") {
  Model model = model_of(server_of({web()}));
  View view = first_view(model, "");
  settle(view, model, room);
  CHECK(type(view, model, "xn").kind == Action::Kind::none);
  CHECK(view.message == "nothing was ordered");
  Action action = type(view, model, "xy");
  CHECK(action.kind == Action::Kind::retire);
  CHECK(action.pid == 1002);
  action = type(view, model, "Ry");
  CHECK(action.kind == Action::Kind::reload);
  CHECK(action.service == "web");
  type(view, model, "x");
  model.snapshot.services[0].slots[2] = {};
  settle(view, model, room);
  CHECK(view.prompt == Prompt::none);
  CHECK(view.message == "child 1002 is no longer shown; nothing was ordered");
  CHECK(type(view, model, "y").kind == Action::Kind::none);
}

TEST_CASE("top: the page of help, and the other keys") {
  const Model model = model_of(server_of({web()}));
  View view = first_view(model, "");
  settle(view, model, room);
  type(view, model, "h");
  REQUIRE_FALSE(view.page.lines.empty());
  for (const auto& line : view.page.lines) CHECK(line.size() <= 80);
  type(view, model, "jj");
  CHECK(view.page.top == 2);
  type(view, model, "G");
  CHECK(view.page.top == view.page.lines.size() - room);
  CHECK(type(view, model, "q").kind == Action::Kind::none);
  CHECK(view.page.lines.empty());
  const Action stack = type(view, model, "s");
  CHECK(stack.kind == Action::Kind::stack);
  CHECK(stack.pid == view.selected);
  CHECK(type(view, model, "q").kind == Action::Kind::quit);
}

TEST_CASE("top: colours and characters by the environment") {
  struct Case {
    Environment environment;
    std::string color;
    bool screen;
    unsigned colours;
  };
  const std::array cases = {
      Case{{.term = "xterm-256color"}, "", true, 256},
      Case{{.term = "tmux-256color", .no_color = "1"}, "auto", true, 0},
      Case{{.term = "tmux-256color", .no_color = "1"}, "16", true, 16},
      Case{{.term = "linux"}, "", true, 16},
      Case{{.term = "linux", .colorterm = "truecolor"}, "", true, 256},
      Case{{.term = "vt220"}, "", true, 0},
      Case{{.term = "xterm-256color"}, "none", true, 0},
      Case{{.term = "dumb"}, "", false, 0},
      Case{{.term = ""}, "", false, 0},
  };
  for (const auto& [environment, color, screen, colours] : cases) {
    CAPTURE(environment.term);
    const Abilities abilities = abilities_of(environment, color);
    CHECK(abilities.screen == screen);
    CHECK(abilities.colours == colours);
    CHECK_FALSE(abilities.utf8);
  }
  CHECK(abilities_of({.codeset = "UTF-8"}, "").utf8);
  CHECK_FALSE(is_color("yes"));
}

TEST_CASE("top: memory and processor time of a process") {
  Processes processes;
  const std::array pids = {::getpid(), pid_t{0}};
  const auto now = std::chrono::steady_clock::now();
  auto figures = processes.look(pids, now);
  REQUIRE(figures.size() == 1);
  CHECK(figures.begin()->second.memory_bytes > 1000);
  CHECK_FALSE(figures.begin()->second.processors);
  figures = processes.look(pids, now + 1h);
  CHECK(figures.begin()->second.processors.value_or(-1) >= 0);
  CHECK(figures.begin()->second.processors.value_or(1) < 0.1);
}
