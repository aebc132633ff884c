// SPDX-License-Identifier: MIT
#include "program/service_manager.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace brood;
using namespace std::chrono_literals;

namespace {

const Time start(1000s);
const ServerLoad three_busy{.children = 8, .busy = 3, .spare = 5, .max_clients = 256, .waiting = 2};

struct Manager {
  ManagerMessages messages;
  ServerState state{};
  ServerLoad load{};

  explicit Manager(std::optional<std::chrono::microseconds> watchdog = {}) : messages(watchdog) {}

  std::vector<std::string> tell(Time now) {
    std::vector<std::string> all;
    for (;;) {
      std::string message = messages.next(
          state, [this] { return load; }, now);
      if (message.empty()) return all;
      all.push_back(std::move(message));
    }
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a service manager hears that the server is ready once, and nothing before") {
  Manager manager;
  CHECK(manager.tell(start).empty());
  CHECK(manager.messages.look_again() == never);
  manager.state.ready = true;
  CHECK(manager.tell(start + 1s) == Lines{"READY=1", "STATUS=0 busy, 0 spare, 0 waiting; 0 of 0 children"});
  CHECK(manager.tell(start + 60s).empty());
  CHECK(manager.messages.look_again() == never);
}

TEST_CASE("the load is told once a second at most, and the last one is not forgotten") {
  Manager manager;
  manager.state.ready = true;
  manager.tell(start);
  manager.load = three_busy;
  CHECK(manager.tell(start + 100ms).empty());
  CHECK(manager.messages.look_again() == start + 1s);
  CHECK(manager.tell(start + 1s) == Lines{"STATUS=3 busy, 5 spare, 2 waiting; 8 of 256 children"});
  CHECK(manager.tell(start + 2s).empty());
  CHECK(manager.messages.look_again() == never);  // no tick
}

TEST_CASE("a reload is told with its time, and its end as READY=1") {
  Manager manager;
  manager.state.ready = true;
  manager.tell(start);
  manager.state.reloads = 1;
  manager.state.reloading = true;
  CHECK(manager.tell(start + 5s) == Lines{"RELOADING=1\nMONOTONIC_USEC=1005000000"});
  CHECK(manager.tell(start + 6s).empty());
  // Another signal before that one is done: systemd waits for a later time.
  manager.state.reloads = 2;
  CHECK(manager.tell(start + 7s) == Lines{"RELOADING=1\nMONOTONIC_USEC=1007000000"});
  manager.state.reloading = false;
  CHECK(manager.tell(start + 8s) == Lines{"READY=1"});
  // One that began and ended between two looks.
  manager.state.reloads = 3;
  CHECK(manager.tell(start + 9s) == Lines{"RELOADING=1\nMONOTONIC_USEC=1009000000", "READY=1"});
}

TEST_CASE("a stop is told, and that it may take long") {
  Manager manager;
  manager.state.ready = true;
  manager.tell(start);
  manager.state.stopping = true;
  CHECK(manager.tell(start) == Lines{"STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000"});
  CHECK(manager.tell(start + 9s) == Lines{"STATUS=stopping; 0 busy, 0 spare, 0 waiting; 0 of 0 children"});
  CHECK(manager.messages.look_again() == start + 10s);
  CHECK(manager.tell(start + 10s) == Lines{"EXTEND_TIMEOUT_USEC=30000000"});
  manager.state.reloads = 1;
  CHECK(manager.tell(start + 11s).empty());
}

TEST_CASE("a server that drains is one that stops, and says how far it is") {
  Manager manager;
  manager.state.ready = true;
  manager.load = three_busy;
  manager.tell(start);
  manager.state.stopping = manager.state.draining = true;
  CHECK(manager.tell(start + 2s) == Lines{"STOPPING=1", "EXTEND_TIMEOUT_USEC=30000000",
                                          "STATUS=draining; 3 busy, 5 spare, 2 waiting; 8 of 256 children"});
  manager.state.draining = false;
  CHECK(manager.tell(start + 5s) == Lines{"STATUS=stopping; 3 busy, 5 spare, 2 waiting; 8 of 256 children"});
  CHECK(manager.tell(start + 12s) == Lines{"EXTEND_TIMEOUT_USEC=30000000"});
}

TEST_CASE("a watchdog is fed twice in its time, also before the server is ready") {
  Manager manager(2s);
  CHECK(manager.tell(start) == Lines{"WATCHDOG=1"});
  CHECK(manager.messages.look_again() == start + 1s);
  CHECK(manager.tell(start + 999ms).empty());
  CHECK(manager.messages.look_again() == start + 1s);
  CHECK(manager.tell(start + 1s) == Lines{"WATCHDOG=1"});
}
