// SPDX-License-Identifier: MIT
// The child models that serve connections, a subcase for each: a test case that calls one of these first is
// run once for each model, for what holds in all of them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server_process.hpp"

namespace brood::test {

// Those whose children may hold several connections. What the model needs is added to `arguments`.
inline ServerOptions model_of_many(std::vector<std::string>& arguments, unsigned threads = 4) {
  const std::string with_threads = "--threads-per-child=" + std::to_string(threads);
  ServerOptions options;
  SUBCASE("threads") {
    options.program = "brood-thread-test-server";
    arguments.push_back(with_threads);
  }
  SUBCASE("event loop") { options.program = "brood-event-test-server"; }
  SUBCASE("event loop with threads") {
    options.program = "brood-event-test-server";
    arguments.push_back(with_threads);
  }
  SUBCASE("coroutines") { options.program = "brood-async-test-server"; }
  return options;
}

// All of them.
inline ServerOptions model(std::vector<std::string>& arguments, unsigned threads = 4) {
  SUBCASE("blocking") {}
  return model_of_many(arguments, threads);
}

// What the hook of a test_server's child that leaves writes into the log, in each of them.
inline std::string hears(pid_t child) { return "child " + std::to_string(child) + " hears that it leaves"; }

}  // namespace brood::test
