// SPDX-License-Identifier: MIT
// What broodctl agent tells a load balancer.
#include "ctl/balancer/agent.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace brood::ctl;

namespace {

// Of 10 children, 4 are busy.
Snapshot working() {
  ServiceSnapshot service;
  service.name = "web";
  service.max_clients = 10;
  service.busy = service.open_connections = 4;
  service.idle = 2;
  Snapshot snapshot;
  snapshot.parent_alive = true;
  snapshot.services = {service};
  return snapshot;
}

std::string told(const Snapshot& snapshot, std::string_view service = "") {
  return answer_of_agent(snapshot, service).line();
}

}  // namespace

TEST_CASE("agent: the share of a service's capacity that is free") {
  Snapshot snapshot = working();
  ServiceSnapshot& service = snapshot.services.front();
  CHECK(told(snapshot) == "up ready 60%\n");
  CHECK(told(snapshot, "web") == "up ready 60%\n");
  service.open_connections = 0;
  CHECK(told(snapshot) == "up ready 100%\n");
  service.open_connections = 10;
  CHECK(told(snapshot) == "up ready 1%\n");
  service.open_connections = 1000;  // the limit was lowered
  CHECK(told(snapshot) == "up ready 1%\n");
  service.slots = {{.capacity = 0}, {.capacity = 200}};
  CHECK(told(snapshot) == "up ready 50%\n");
  service.max_clients = 0;
  CHECK(told(snapshot) == "up ready 1%\n");
}

TEST_CASE("agent: a service that wants nothing more is drained") {
  Snapshot snapshot = working();
  snapshot.services.front().state = ServiceState::paused;
  CHECK(told(snapshot) == "up drain\n");
  snapshot.services.front().state = ServiceState::stopping;
  CHECK(told(snapshot) == "up drain\n");
  snapshot = working();
  snapshot.stopping = true;
  CHECK(told(snapshot) == "up drain\n");
  snapshot.stopping = false;
  snapshot.draining = true;
  CHECK(told(snapshot) == "up drain\n");
}

TEST_CASE("agent: a service that serves nobody is down") {
  Snapshot snapshot = working();
  ServiceSnapshot& service = snapshot.services.front();
  service.state = ServiceState::stopped;
  CHECK(told(snapshot) == "down #service web is stopped\n");
  service.state = ServiceState::failed;
  CHECK(told(snapshot) == "down #service web is failed\n");
  service.state = ServiceState::running;
  service.throttled_for = std::chrono::seconds(1);
  CHECK(told(snapshot) == "up ready 60%\n");
  service.idle = service.busy = 0;
  CHECK(told(snapshot) == "down #service web has no child that serves\n");
  CHECK(told(snapshot, "mail") == "down #there is no service mail\n");
  CHECK(told(snapshot, "a\nb") == "down #there is no service a\\x0ab\n");
  snapshot.services.push_back(snapshot.services.front());
  CHECK(told(snapshot) == "down #which of 2 services is not said\n");
  snapshot.parent_alive = false;
  CHECK(told(snapshot, "web") == "down #the parent is gone\n");
}

TEST_CASE("agent: what status --ready and /readyz do not call ready is not ready here") {
  Snapshot snapshot = working();
  ServiceSnapshot& service = snapshot.services.front();
  service.min_spare_servers = 1;
  service.idle = service.busy = 0;  // its first child has not begun to serve
  CHECK(told(snapshot) == "down #service web has no child that serves\n");
  CHECK(readiness_of(snapshot).why == "service web has no child that serves");
  snapshot = working();
  snapshot.parent_state = 'T';  // its children serve on; nobody replaces them
  CHECK(told(snapshot) == "up drain\n");
  CHECK(readiness_of(snapshot).why == "the parent is stopped");
}

TEST_CASE("agent: a service without children that are needed is ready") {
  Snapshot snapshot = working();
  ServiceSnapshot& service = snapshot.services.front();
  service.idle = service.busy = service.open_connections = 0;  // start-servers = 0
  CHECK(told(snapshot) == "up ready 100%\n");
}
