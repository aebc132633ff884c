// SPDX-License-Identifier: MIT
// The parts of the status listener: what is answered to a path, the page, and when its process starts again.
#include <doctest/doctest.h>

#include "program/status/answers.hpp"
#include "program/status/page.hpp"
#include "program/status/status_listener.hpp"
#include "settings/configuration.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

Snapshot serving(std::uint32_t children = 1) {
  ServiceSnapshot service;
  service.name = "web";
  service.max_clients = children;
  service.start_servers = 1;
  service.busy = service.open_connections = children;
  service.total.accepted = children;
  for (std::uint32_t i = 0; i < children; ++i) {
    SlotSnapshot slot;
    slot.index = i;
    slot.state = SlotState::busy;
    slot.pid = 1000000 + static_cast<pid_t>(i);
    slot.open_connections = 1;
    slot.age = 90s;
    slot.busy_for = 30s + i * 1s;
    slot.peer = "192.168.100.200:40000";
    slot.note = "GET /<script>alert(1)</script>";
    service.slots.push_back(slot);
  }
  Snapshot snapshot;
  snapshot.name = "server";
  snapshot.parent_alive = true;
  snapshot.parent_pid = 4710;
  snapshot.parent_state = 'S';
  snapshot.services = {service};
  return snapshot;
}

HttpAnswer get(const std::string& path, const Snapshot& snapshot = serving()) {
  return answer_to({.path = path, .accept = ""}, snapshot, "/run/brood/server.scoreboard");
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("status: readiness and life are two questions") {
  Snapshot snapshot = serving();
  CHECK(get("/readyz").status == 200);
  CHECK(get("/livez").status == 200);
  snapshot.draining = true;
  CHECK(get("/readyz", snapshot).status == 503);
  CHECK(get("/readyz", snapshot).body == "not ready: the server is draining\n");
  CHECK(get("/livez", snapshot).status == 200);
  snapshot.parent_state = 'T';
  CHECK(get("/livez", snapshot).status == 503);
  snapshot.parent_alive = false;
  CHECK(get("/livez", snapshot).status == 503);
}

TEST_CASE("status: each path has its type, and others are not found") {
  CHECK(get("/").type == "text/html; charset=utf-8");
  CHECK(get("/status.json").type == "application/json");
  CHECK(get("/status.json").body.starts_with("{\"version\":1,\"name\":\"server\""));
  CHECK(get("/metrics").type == "text/plain; version=0.0.4; charset=utf-8");
  for (const auto* path : {"", "/status", "/status.json/", "//", "/../etc/passwd", "*"})
    CHECK(get(path).status == 404);
}

TEST_CASE("the page: what a client has sent is no markup in it") {
  const std::string body = get("/").body;
  CHECK(has(body, "GET /&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK_FALSE(has(body, "<script>alert"));
  for (const auto* mark : {"@NONCE@", "@TITLE@", "@PLAIN@"}) CHECK_FALSE(has(body, mark));
}

TEST_CASE("the page: of a program that does not report its connections there are no figures of them") {
  Snapshot snapshot = serving();
  const std::string figures = "<td>0<td>0<td>0 B<td>0 B\n";
  CHECK(has(get("/", snapshot).body, figures));
  snapshot.services[0].counts_connections = false;
  CHECK_FALSE(has(get("/", snapshot).body, figures));
  CHECK(has(get("/", snapshot).body, "<td>-<td>-<td>-<td>-\n"));
  CHECK(has(get("/status.json", snapshot).body, "\"counts_connections\":false"));
}

TEST_CASE("the page: its policy permits its own script and style alone, another one each time") {
  const auto policy_of = [](const HttpAnswer& answer) {
    for (const auto& [name, value] : answer.fields)
      if (name == "Content-Security-Policy") return value;
    return std::string();
  };
  const HttpAnswer one = get("/"), other = get("/");
  CHECK(policy_of(one).starts_with("default-src 'none'; script-src 'nonce-"));
  CHECK_FALSE(has(policy_of(one), "unsafe"));
  CHECK(policy_of(one) != policy_of(other));
  // No attribute would be permitted to hold a script or a style.
  for (const auto* part : {" style=", " onclick=", " onload=", "http://", "https://"})
    CHECK_FALSE(has(one.body, part));
}

TEST_CASE("the page: 1,000 busy children fit into 60 KiB, and /children has them all") {
  const Snapshot snapshot = serving(1000);
  const std::string page = get("/", snapshot).body;
  CHECK(page.size() < 60 * 1024);
  CHECK(has(page, "<td>1000999"));  // the one that is busy for the longest time
  CHECK(has(page, " more: <a href=\"/children\">"));
  const std::string all = get("/children", snapshot).body;
  for (int pid = 1000000; pid < 1001000; ++pid) CHECK(has(all, "<td>" + std::to_string(pid) + "<td>busy"));
  CHECK_FALSE(has(all, "<script"));
}

TEST_CASE("status: the field Host of a client on the loopback names this machine") {
  for (const auto* host : {"", "localhost", "localhost:8081", "127.0.0.1", "127.0.0.1:80", "[::1]:8081"})
    CHECK(names_this_machine(host));
  for (const auto* host : {"example.com", "example.com:8081", "localhost.example.com", "1.2.3.4.example.com"})
    CHECK_FALSE(names_this_machine(host));
}

TEST_CASE("status: a process that fails at its start is started again later and later") {
  ReporterDelay delay;
  const Time start = Time(1h);
  CHECK(delay.may_start() <= start);
  delay.ended(start, start + 20s);
  CHECK(delay.may_start() <= start);
  Time now = start;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    delay.ended(now, now);
    CHECK(delay.may_start() == now + wait);
    now = delay.may_start();
  }
  delay.ended(now, now + 1s);
  CHECK(delay.may_start() <= now);
}

TEST_CASE("status-listen is an address of numbers, on the loopback unless it says otherwise") {
  CHECK(status_address("8081").host == "127.0.0.1");
  CHECK(status_address("0.0.0.0:8081").host == "0.0.0.0");
  CHECK(status_address("[::1]:8081").host == "::1");
  CHECK(status_address("unix:/run/status,mode=0660").path == "/run/status");
  for (const auto* wrong : {"localhost:8081", "example.com:80", "99999", "udp:127.0.0.1:80", "fd:3",
                            "timer:1s", "127.0.0.1:80,proxy", "unix:"})
    CHECK_THROWS_AS(status_address(wrong), ConfigurationError);
}
