// SPDX-License-Identifier: MIT
// The threads of a child that wait for connections at once, in a process of its own: the thread sanitizer
// finds races between them.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>
#include <vector>

#include "base/log/log_target.hpp"
#include "brood/descriptor.hpp"
#include "brood/server_base.hpp"
#include "child/child_process.hpp"
#include "child/child_signals.hpp"
#include "forked.hpp"
#include "loopback_listener.hpp"
#include "scoreboard/scoreboard.hpp"

using namespace brood;

namespace {

const int quiet = (open_log({.name = "test", .to = "/dev/null"}), 0);

struct Unused final : ServerBase {
  void serve(Child& /*child*/) override {}
};

}  // namespace

TEST_CASE("threads of a child look at their listeners while one of them is taken away") {
  constexpr unsigned threads = 4;
  const Scoreboard scoreboard("", ServerFacts::of_this_process("test"), "only", 64);
  scoreboard.claim(0, 1, Clock::now());
  const test::LoopbackListener stays, goes;
  Unused server;
  ChildSetup setup{.server = &server, .scoreboard = &scoreboard, .slot = 0, .parent = ::getpid()};
  // The first one: on the way to another one a thread takes a turn.
  setup.listeners = {{.descriptor = goes.socket().get(), .name = "goes"},
                     {.descriptor = stays.socket().get(), .name = "stays"}};
  setup.limits.threads = setup.limits.connections = threads;
  const int status = status_of(forked([&] {
    ChildProcess child(std::move(setup), MemoryLimit(0), nullptr);
    child.ready();
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; ++i)
      all.emplace_back([&] {
        while (child.accept()) {
        }
      });
    for (int i = 0; i < 200; ++i) {
      if (i == 100) ::shutdown(goes.socket().get(), SHUT_RDWR);
      ::kill(::getpid(), child_signals::look_again);
      ::usleep(500);
    }
    child_signals::leave();
    for (auto& thread : all) thread.join();
    std::exit(child.leaving() ? 0 : 1);  // as the sanitizer reports what it has found
  }));
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
