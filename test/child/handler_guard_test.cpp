// SPDX-License-Identifier: MIT
#include "child/handler_guard.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "brood/error.hpp"

using namespace brood;

TEST_CASE("a peer that leaves before it has sent anything is a probe") {
  struct Row {
    Outcome by_handler;
    bool ended, sent, answered;
    Outcome outcome;
  };
  const std::vector<Row> table = {
      // As load balancers look: connect, and close or reset.
      {Outcome::served, true, false, false, Outcome::probe},
      {Outcome::failed, true, false, false, Outcome::probe},
      {Outcome::peer_gone, true, false, false, Outcome::probe},
      {Outcome::timed_out, true, false, false, Outcome::probe},
      // The server speaks first.
      {Outcome::served, true, false, true, Outcome::served},
      {Outcome::failed, true, false, true, Outcome::failed},
      {Outcome::peer_gone, true, false, true, Outcome::probe},
      {Outcome::timed_out, true, false, true, Outcome::timed_out},
      // The peer has sent something, or is still there.
      {Outcome::served, true, true, false, Outcome::served},
      {Outcome::failed, true, true, false, Outcome::failed},
      {Outcome::peer_gone, true, true, true, Outcome::peer_gone},
      {Outcome::timed_out, false, false, false, Outcome::timed_out},
      {Outcome::served, false, false, false, Outcome::served},
      {Outcome::failed, false, false, true, Outcome::failed},
  };
  for (const auto& [by_handler, ended, sent, answered, outcome] : table) {
    CAPTURE(static_cast<int>(by_handler));
    CAPTURE(ended);
    CAPTURE(sent);
    CAPTURE(answered);
    CHECK(with_traces(by_handler, {.ended = ended, .sent = sent, .answered = answered}) == outcome);
  }
}

TEST_CASE("only what is not the peer's doing is a failure of the handler") {
  struct Row {
    std::exception_ptr thrown;
    Outcome outcome;
  };
  const std::vector<Row> table = {
      {std::make_exception_ptr(std::runtime_error("wrong")), Outcome::failed},
      {std::make_exception_ptr(42), Outcome::failed},
      {std::make_exception_ptr(Error("wrong")), Outcome::failed},
      {std::make_exception_ptr(SystemError("ask the database", ECONNRESET)), Outcome::failed},
      {std::make_exception_ptr(ConnectionError("read from 192.0.2.7:80", ECONNRESET)), Outcome::peer_gone},
      {std::make_exception_ptr(TooLongError("a line from 192.0.2.7:80 is longer than 8 bytes")),
       Outcome::served},
      {std::make_exception_ptr(TimeoutError("read from 192.0.2.7:80")), Outcome::timed_out},
  };
  for (const auto& [thrown, outcome] : table) {
    try {
      std::rethrow_exception(thrown);
    } catch (...) {
      CHECK(outcome_of_exception() == outcome);
    }
  }
}
