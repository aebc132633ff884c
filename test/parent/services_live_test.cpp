// SPDX-License-Identifier: MIT
// Several services under one parent: each has its own listeners, limits and children, and its own troubles.
#include <doctest/doctest.h>

#include <csignal>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const ServerOptions two = {.program = "brood-two-test-servers", .listen = false};

std::vector<std::string> with(std::initializer_list<const char*> more) {
  std::vector<std::string> settings = {"--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0"};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

std::vector<pid_t> pids_of(const ServiceSnapshot& service) {
  std::vector<pid_t> pids;
  for (const auto& slot : service.slots)
    if (slot.pid > 0) pids.push_back(slot.pid);
  return pids;
}

ServiceSnapshot service_of(const ServerProcess& server, std::size_t index) {
  return server.snapshot().services.at(index);
}

}  // namespace

TEST_CASE("each service answers at its own address, with its own settings") {
  ServerProcess server(with({"--left.word=L", "--right.word=R", "--start-servers=2",
                             "--right.start-servers=3", "--min-spare-servers=1"}),
                       two);
  REQUIRE(server.addresses().size() == 2);
  CHECK(Client(server.addresses()[0]).ask("word") == "L");
  CHECK(Client(server.addresses()[1]).ask("word") == "R");
  CHECK(eventually([&] { return service_of(server, 0).total.finished == 1; }));
  CHECK(service_of(server, 0).name == "left");
  CHECK(service_of(server, 0).children() == 2);
  CHECK(service_of(server, 1).children() == 3);
}

TEST_CASE("a child has the listeners of its service alone") {
  ServerProcess server(with({"--start-servers=1", "--min-spare-servers=1"}), two);
  const auto addresses = server.addresses();
  Client held(addresses[0]);
  CHECK(held.ask("echo here") == "here");
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  // Who goes on keeps no place from the next server, neither its own nor another's.
  for (const auto& address : addresses) CHECK(eventually([&] { return refuses(address, "echo anybody"); }));
  const ServerProcess next({"--left.listen=" + addresses[0], "--right.listen=" + addresses[1]}, two);
  for (const auto& address : addresses) CHECK(Client(address).ask("echo again") == "again");
  CHECK(held.ask("echo on") == "on");
}

TEST_CASE("one service's spike and crashes are its own") {
  ServerProcess server(with({"--start-servers=1", "--min-spare-servers=1", "--max-spare-servers=2"}), two);
  const auto right = pids_of(service_of(server, 1));
  std::vector<Client> held;
  for (int i = 0; i < 10; ++i) {
    held.emplace_back(server.addresses()[0]);
    held.back().ask("echo here");
  }
  for (int i = 0; i < 5; ++i) held[static_cast<std::size_t>(i)].send("crash\n");
  CHECK(eventually([&] { return service_of(server, 0).children_failed == 5; }));
  CHECK(pids_of(service_of(server, 1)) == right);
  CHECK(service_of(server, 1).children_started == 1);
}

TEST_CASE("a service that can't work leaves the others alone, and comes back with a reload") {
  const TemporaryDirectory directory;
  write_file(directory / "order", "throw-configuration no such thing\n");
  ServerOptions options = two;
  ServerProcess server(with({("--left.child-start=" + (directory / "order")).c_str()}), options);
  CHECK(server.wait_for_log("no other child serves; no more children are started"));
  CHECK(Client(server.addresses()[1]).ask("echo right") == "right");
  write_file(directory / "order", "\n");
  server.signal(SIGHUP);
  CHECK(Client(server.addresses()[0]).ask("echo left") == "left");
  CHECK(Client(server.addresses()[1]).ask("echo right") == "right");
}

TEST_CASE("when none can work the server ends, with the children's exit code") {
  const TemporaryDirectory directory;
  write_file(directory / "order", "throw-configuration no such thing\n");
  ServerOptions options = two;
  options.wait_ready = false;
  ServerProcess server(with({("--left.child-start=" + (directory / "order")).c_str(),
                             ("--right.child-start=" + (directory / "order")).c_str()}),
                       options);
  CHECK(server.wait_exit() == exited(78));
}

TEST_CASE("a reload replaces the children of all, and a stop drains all") {
  ServerProcess server(with({"--start-servers=1", "--min-spare-servers=1"}), two);
  const auto before = pids_of(service_of(server, 1));
  server.signal(SIGHUP);
  CHECK(eventually([&] {
    const auto service = service_of(server, 1);
    return service.generation == 2 && service.idle == 1 && pids_of(service) != before;
  }));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("one address for two services is refused by name") {
  ServerOptions options = two;
  options.wait_ready = false;
  ServerProcess server({"--left.listen=127.0.0.1:4711", "--right.listen=127.0.0.1:4711"}, options);
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find(
            "right.listen = 127.0.0.1:4711 is the same address as one of service left (command line)") !=
        std::string::npos);
}

TEST_CASE("a file has the shared settings, and then a section for each service") {
  const TemporaryDirectory directory;
  write_file(directory / "two.conf",
             "start-servers = 2\nmin-spare-servers = 1\n[left]\nlisten = 127.0.0.1:0\nword = L\n"
             "[right]\nlisten = 127.0.0.1:0\nstart-servers = 1\n");
  ServerProcess server({"--config=" + (directory / "two.conf")}, two);
  CHECK(service_of(server, 0).start_servers == 2);
  CHECK(service_of(server, 1).start_servers == 1);
  CHECK(service_of(server, 1).min_spare_servers == 1);
  CHECK(Client(server.addresses()[0]).ask("word") == "L");
}

TEST_CASE("mistakes in sections are reported with their place") {
  const TemporaryDirectory directory;
  write_file(directory / "two.conf",
             "[left]\nlisten = 127.0.0.1:0\nmax-client = 5\n[middle]\nword = M\n[right\n[right]\n"
             "listen = 127.0.0.1:0\nmin-spare-servers = 300\n");
  ServerOptions options = two;
  options.wait_ready = false;
  ServerProcess server({"--config=" + (directory / "two.conf")}, options);
  CHECK(server.wait_exit() == exited(78));
  const std::string errors = server.standard_error();
  for (const char* wrong : {"two.conf:3: unknown setting 'left.max-client'; did you mean 'left.max-clients'?",
                            "two.conf:4: unknown section 'middle'", "two.conf:6: '[right' is not of the form",
                            "two.conf:9: right.min-spare-servers = 300 exceeds"})
    CHECK_MESSAGE(errors.find(wrong) != std::string::npos, wrong);
  CHECK(errors.find("middle.word") == std::string::npos);
}
