// SPDX-License-Identifier: MIT
#include "child/leave_state.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace brood;
using enum LeaveStage;
using enum LeaveEvent;
using Action = LeaveAction;

TEST_CASE("leaving: each stage and event lead to one stage and one action") {
  struct Row {
    LeaveStage stage;
    LeaveEvent event;
    LeaveStage next;
    Action action;
  };
  static constexpr std::array<Row, 20> table = {{
      {serving, due, asking, Action::ask},
      {serving, detach, detaching, Action::none},
      {serving, quiet, serving, Action::none},
      {serving, over, leaving, Action::leave},
      {asking, due, asking, Action::none},  // the parent is asked once
      {asking, detach, detaching, Action::none},
      {asking, quiet, asking, Action::none},
      {asking, over, leaving, Action::leave},
      {detaching, due, detaching, Action::none},
      {detaching, detach, detaching, Action::none},
      {detaching, quiet, detached, Action::hand_back},
      {detaching, over, detached, Action::hand_back},
      {leaving, due, leaving, Action::none},
      {leaving, detach, detaching, Action::none},  // a handler may still call this_child::detach()
      {leaving, quiet, leaving, Action::none},
      {leaving, over, leaving, Action::none},
      {detached, due, detached, Action::none},
      {detached, detach, detached, Action::none},
      {detached, quiet, detached, Action::none},
      {detached, over, detached, Action::none},
  }};
  for (const Row& row : table) {
    CAPTURE(static_cast<int>(row.stage));
    CAPTURE(static_cast<int>(row.event));
    const LeaveStep taken = step(row.stage, row.event);
    CHECK(taken.next == row.next);
    CHECK(taken.action == row.action);
  }
}

TEST_CASE("leaving: the last of several threads tells the parent") {
  LeaveState state;
  state.thread_enters();
  state.thread_enters();
  CHECK(state.accepting() == 2);
  CHECK(state.thread_leaves(false) == Action::none);  // it got a connection
  state.thread_enters();
  CHECK(state.thread_leaves(true) == Action::none);
  CHECK_FALSE(state.gone());
  CHECK(state.thread_leaves(true) == Action::leave);
  CHECK(state.gone());
  CHECK_FALSE(state.accepts());
  CHECK(state.over() == Action::none);
}

TEST_CASE("leaving: the slot is handed back by the last thread that accepts") {
  LeaveState state;
  SUBCASE("no thread accepts") { CHECK(state.detach() == Action::hand_back); }
  SUBCASE("the last one gets nothing") {
    state.thread_enters();
    CHECK(state.detach() == Action::none);
    CHECK_FALSE(state.accepts());
    CHECK(state.thread_leaves(true) == Action::hand_back);
  }
  SUBCASE("the last one gets a connection, which is counted first") {
    state.thread_enters();
    CHECK(state.detach() == Action::none);
    CHECK(state.thread_leaves(false) == Action::hand_back);
  }
  SUBCASE("a loop that ends does not hand it back before the other threads are out") {
    state.thread_enters();
    CHECK(state.detach() == Action::none);
    CHECK(state.over() == Action::none);
    CHECK(state.thread_leaves(false) == Action::hand_back);
  }
  SUBCASE("after the parent was told that the child leaves") {
    CHECK(state.over() == Action::leave);
    CHECK(state.detach() == Action::hand_back);
  }
  CHECK(state.gone());
  CHECK(state.detach() == Action::none);
}

TEST_CASE("leaving: the server's hook is called once, and not before the parent knows") {
  LeaveState state;
  CHECK_FALSE(state.take_hook());
  CHECK(state.replacement_due() == Action::ask);
  CHECK_FALSE(state.take_hook());
  SUBCASE("leaving") { state.over(); }
  SUBCASE("detached") { state.detach(); }
  SUBCASE("leaving, then detached") {
    state.over();
    CHECK(state.take_hook());
    state.detach();
    CHECK_FALSE(state.take_hook());
    return;
  }
  CHECK(state.take_hook());
  CHECK_FALSE(state.take_hook());
}
