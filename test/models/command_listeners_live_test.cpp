// SPDX-License-Identifier: MIT
// Programs in any language that get the listeners as systemd passes them: start-servers of them are kept.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <sstream>

#include "asker.hpp"
#include "base/text.hpp"
#include "commanded.hpp"
#include "inherited.hpp"
#include "load.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> pythons(const std::vector<std::string>& more, const std::string& arguments = "") {
  return runs(example_path("listen_fds.py") + arguments, "listeners", more);
}

bool runs_as_many(const ServerProcess& server, unsigned number) {
  return server.reaches([&](const auto& service) {
    return service.idle == number && service.children() == number && service.starting == 0;
  });
}

// Python takes its time until it has a handler for SIGTERM: each has answered once.
bool all_listen(const ServerProcess& server) {
  return eventually([&] {
    const auto children = server.children();
    return std::ranges::all_of(children, [](pid_t child) {
      const auto caught = std::stoull(status_of(child, "SigCgt"), nullptr, 16);
      return (caught >> (SIGTERM - 1) & 1U) != 0;
    });
  });
}

}  // namespace

TEST_CASE("as many processes as start-servers serve, and are found on the scoreboard") {
  ServerProcess server(pythons({"--start-servers=2", "--max-clients=1", "--min-spare-servers=9"}), host());
  CHECK(runs_as_many(server, 2));
  Client client = server.connect();
  CHECK(client.ask("hello") == "hello");
  const pid_t child = client.child();
  CHECK(std::ranges::count(server.children(), child) == 1);
  // A busy one does not report it: no other is started.
  Client second = server.connect();
  CHECK(second.ask("hello") == "hello");
  CHECK(server.service().children_started == 2);
}

TEST_CASE("it gets the listeners, their names, and nothing else") {
  const Script script(
      "echo \"$LISTEN_FDS $LISTEN_FDNAMES $BROOD_SERVICE\" > \"${0%/*}/told\"\n"
      "test \"$LISTEN_PID\" = $$ && : > \"${0%/*}/for-me\"\n"
      "exec sleep 600");
  ServerProcess server(runs(script.path(), "listeners",
                            {"--start-servers=1", "--listen=127.0.0.1:0,name=web", "--listen=127.0.0.1:0",
                             "--listen=127.0.0.1:0,name=extra"}),
                       {.program = "brood-command-host", .listen = false});
  CHECK(eventually([&] { return program_of(server.children().at(0)).find("sleep") != std::string::npos; }));
  CHECK(read_file(script.place("told")) == "3 web:unknown:extra brood-command-host\n");
  CHECK(std::filesystem::exists(script.place("for-me")));
  const pid_t child = server.children().at(0);
  REQUIRE(eventually([&] { return open_in(child).size() == 6; }));
  auto open = open_in(child);
  std::ranges::sort(open);
  for (int number = 0; number < 6; ++number) CHECK(open.at(static_cast<std::size_t>(number)).first == number);
  for (std::size_t i = 3; i < 6; ++i) CHECK(open.at(i).second.starts_with("socket:"));
  CHECK(is_empty_set(read_file("/proc/" + std::to_string(child) + "/status"), "SigBlk"));
  CHECK(is_empty_set(read_file("/proc/" + std::to_string(child) + "/status"), "SigIgn"));
}

TEST_CASE("a listener that the program shuts down is opened again, and the parent does not spin on it") {
  const Script program(
      "import socket\n"
      "listener = socket.socket(fileno=3)\n"
      "connection, _ = listener.accept()\n"
      "connection.send(b'hello\\n')\n"
      "listener.shutdown(socket.SHUT_RDWR)",
      python);
  std::string listen = "127.0.0.1:0";
  SUBCASE("tcp") {}
  SUBCASE("a unix socket") { listen = "unix:" + (program.place("socket")) + ",mode=0640"; }
  ServerProcess server(
      runs(program.path(), "listeners", {"--start-servers=0", "--min-spare-servers=0", "--listen=" + listen}),
      {.program = "brood-command-host", .listen = false});
  for (unsigned i = 1; i <= 3; ++i) {
    CHECK(Client(server.address()).line() == "hello");
    CHECK(eventually([&] { return server.count_in_log("was ended by a process that shares it") == i; }));
    CHECK(eventually([&] { return server.service().children() == 0; }));
  }
  if (listen != "127.0.0.1:0")
    CHECK((std::filesystem::status(program.place("socket")).permissions() & std::filesystem::perms::mask) ==
          std::filesystem::perms(0640));
  CHECK(rests(server.pid(), 200ms));
}

TEST_CASE("a listener that a process shuts down when it leaves is opened again for the others") {
  const Script program(
      "import os, signal, socket\n"
      "listener = socket.socket(fileno=3)\n"
      "def leave(*_):\n"
      "    listener.shutdown(socket.SHUT_RDWR)\n"
      "    os._exit(0)\n"
      "signal.signal(signal.SIGTERM, leave)\n"
      "while True:\n"
      "    connection, _ = listener.accept()\n"
      "    connection.send(b'hello\\n')\n"
      "    connection.close()",
      python);
  ServerProcess server(runs(program.path(), "listeners", {"--start-servers=2"}), host());
  REQUIRE(runs_as_many(server, 2));
  REQUIRE(all_listen(server));
  ::kill(server.children().at(0), SIGTERM);
  CHECK(server.wait_for_log("was ended by a process that shares it; it was opened again"));
  CHECK(eventually([&] {
    try {
      return Client(server.address()).line() == "hello";
    } catch (const ClientError&) {
      return false;
    }
  }));
  CHECK(runs_as_many(server, 2));
}

TEST_CASE("an inherited listener that is shut down is closed, and logged") {
  const Inherited inherited;
  const Script script("exec python3 -c 'import socket; socket.socket(fileno=3).shutdown(socket.SHUT_RDWR)'");
  ServerProcess server(
      runs(script.path(), "listeners", {"--start-servers=0", "--min-spare-servers=0", "--listen=fd:9"}),
      {.program = "brood-command-host", .listen = false, .in_process = inherited.options().in_process});
  const Client client(inherited.address);
  CHECK(server.wait_for_log("and is closed: it was inherited, and cannot be opened again"));
  CHECK(server.running());
}

TEST_CASE("a reload replaces each, and under load no connection is lost") {
  ServerProcess server(pythons({"--start-servers=2"}), host());
  REQUIRE(runs_as_many(server, 2));
  REQUIRE(all_listen(server));
  Load load(server.address(), 2, "load", "load");
  CHECK(load.more_answers(50));
  const auto before = server.children();
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) {
    return service.generation == 2 && service.idle == 2 && service.children() == 2 &&
           service.children_gone == 2;
  }));
  for (const pid_t child : server.children()) CHECK(std::ranges::count(before, child) == 0);
  CHECK(load.more_answers(50));
  CHECK(load.stop().failed() == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("a program that can't start any more at a reload costs none of those that run") {
  Script script("exec " + example_path("listen_fds.py"));
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=2"}), host());
  REQUIRE(runs_as_many(server, 2));
  REQUIRE(all_listen(server));
  const auto before = server.children();
  script.write("exit 1");
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) { return service.children_failed >= 2; }));
  CHECK(server.wait_for_log("children fail at once"));
  for (const pid_t child : before) CHECK(is_alive(child));
  CHECK(server.connect().ask("hello") == "hello");
  script.write("exec " + example_path("listen_fds.py"));
  server.signal(SIGHUP);
  CHECK(
      eventually([&] { return std::ranges::none_of(before, [](pid_t child) { return is_alive(child); }); }));
  CHECK(server.connect().ask("hello") == "hello");
}

TEST_CASE("what it gets is not changed by a reload") {
  const TemporaryDirectory directory;
  const std::string settings =
      "start-servers = 1\ncommand = " + example_path("listen_fds.py") + "\ncommand-gets = ";
  write_file(directory / "conf", settings + "listeners\n");
  ServerProcess server({"--config=" + (directory / "conf")}, host());
  REQUIRE(all_listen(server));
  write_file(directory / "conf", settings + "connection\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("setting command-gets has changed; that needs a restart"));
  CHECK(server.reaches([](const auto& service) {
    return service.generation == 2 && service.children_gone == 1 && service.idle == 1;
  }));
  CHECK(server.service().children() == 1);
  CHECK(server.connect().ask("hello") == "hello");
}

TEST_CASE("one that dies is replaced") {
  ServerProcess server(pythons({"--start-servers=2"}), host());
  REQUIRE(runs_as_many(server, 2));
  const pid_t child = server.children().front();
  ::kill(child, SIGKILL);
  CHECK(server.wait_for_log("child " + std::to_string(child) + " was killed by signal 9"));
  CHECK(server.reaches([](const auto& service) { return service.children_gone == 1 && service.idle == 2; }));
  CHECK(server.connect().ask("hello") == "hello");
}

TEST_CASE("a listeners program that ends at once is started later and later, also with exit code 0") {
  std::string line;
  SUBCASE("exit 0") { line = "exit 0"; }
  SUBCASE("exit 1") { line = "exit 1"; }
  SUBCASE("killed") { line = "kill -9 $$"; }
  SUBCASE("on demand, and what waits is not taken") { line = "exit 0 # on demand"; }
  const bool on_demand = line.ends_with("demand");
  const Script script(line);
  ServerProcess server(
      runs(script.path(), "listeners", {on_demand ? "--start-servers=0" : "--start-servers=1"}),
      on_demand ? host() : host_that_fails());
  std::vector<Client> waiting;
  if (on_demand) waiting.push_back(server.connect());
  REQUIRE(server.wait_for_log("children fail at once; the next one is started in 4s"));
  const auto service = Snapshot::read(server.directory() / "brood-command-host.scoreboard").services.at(0);
  CHECK(service.children_failed >= 2);
  CHECK(service.children_failed <= 8);  // three of them are replaced at once
  // On demand one that needs a second to end with 0, on a busy machine, counts as having done its work.
  if (!on_demand) CHECK(service.children_failed == service.children_gone);
}

TEST_CASE("on demand: the first connection starts one, and it may end when there is no more to do") {
  ServerProcess server(pythons({"--start-servers=0"}, " 0.3"), host());
  CHECK(server.service().children_started == 0);
  for (std::uint64_t i = 1; i <= 2; ++i) {
    Client client = server.connect();
    CHECK(client.ask("hello") == "hello");
    CHECK(server.reaches([&](const auto& service) { return service.children_started == i; }));
    client.close();
    CHECK(server.reaches([&](const auto& service) { return service.children_gone == i; }));
  }
  CHECK(server.service().children_failed == 0);
  CHECK(server.count_in_log("fail at once") == 0);
  CHECK(server.count_in_log("warning") == 0);
}

TEST_CASE("a service with a listeners program does not wake while nothing comes") {
  std::string number;
  SUBCASE("on demand") { number = "0"; }
  SUBCASE("with processes") { number = "2"; }
  ServerProcess server(pythons({"--start-servers=" + number}), host());
  REQUIRE(runs_as_many(server, static_cast<unsigned>(std::stoi(number))));
  CHECK(rests(server.pid(), 2s));
}

TEST_CASE("a stop asks it to leave, and kills it after graceful-timeout") {
  SUBCASE("it has no handler") {
    const Script script("exec sleep 600");
    ServerProcess server(runs(script.path(), "listeners", {"--start-servers=2"}), host());
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
    CHECK(server.count_in_log("warning") == 0);
  }
  SUBCASE("it ignores SIGTERM") {
    const Script script("trap '' TERM; : > \"${0%/*}/trapped\"; while :; do sleep 1; done");
    ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--graceful-timeout=500ms"}),
                         host());
    REQUIRE(eventually([&] { return std::filesystem::exists(script.place("trapped")); }));
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
  }
  SUBCASE("it finishes its connection") {
    ServerProcess server(pythons({"--start-servers=1"}), host());
    Client client = server.connect();
    CHECK(client.ask("hello") == "hello");
    server.signal(SIGTERM);
    CHECK(server.wait_for_log("stopping"));
    CHECK(client.ask("on") == "on");
    client.close();
    CHECK(server.wait_exit() == exited(0));
  }
}

TEST_CASE("a stop under load loses no connection") {
  const TemporaryDirectory directory;
  const std::string address = "unix:" + (directory / "socket");
  ServerProcess server(pythons({"--start-servers=2", "--listen=" + address}),
                       {.program = "brood-command-host", .listen = false});
  REQUIRE(runs_as_many(server, 2));
  REQUIRE(all_listen(server));
  Load load(address, 3, "load", "load");
  CHECK(load.more_answers(50));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(load.stop().lost() == 0);
}

TEST_CASE("a reload kills one that does not leave within graceful-timeout") {
  const Script script("trap '' TERM; : > \"${0%/*}/trapped\"; while :; do sleep 1; done");
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--graceful-timeout=300ms"}),
                       host());
  REQUIRE(eventually([&] { return std::filesystem::exists(script.place("trapped")); }));
  const pid_t old = server.children().at(0);
  server.signal(SIGHUP);
  CHECK(eventually([&] { return !is_alive(old); }));
  CHECK(server.wait_for_log("beyond graceful-timeout; it gets SIGABRT"));
}

TEST_CASE("without its parent it is told to leave, and finishes its connection") {
  ServerProcess server(pythons({"--start-servers=2"}), host());
  REQUIRE(runs_as_many(server, 2));
  REQUIRE(all_listen(server));
  check_orphans_leave(server, "on", "on");
}

TEST_CASE("a process that is stopped (SIGSTOP) is replaced") {
  ServerProcess server(pythons({"--start-servers=1"}), host());
  REQUIRE(runs_as_many(server, 1));
  const pid_t child = server.children().at(0);
  ::kill(child, SIGSTOP);
  CHECK(server.reaches([](const auto& service) { return service.stopped == 1 && service.children() == 2; }));
  CHECK(server.connect().ask("hello") == "hello");
  ::kill(child, SIGCONT);
  CHECK(runs_as_many(server, 1));
}

TEST_CASE("stop-signal tells it to leave at a reload and a stop and when its parent has ended") {
  const Script script(
      "trap '' TERM; trap 'echo left >&2; exit 0' QUIT; echo ready >&2; while :; do sleep 0.05; done");
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--stop-signal=SIGQUIT"}),
                       host());
  REQUIRE(server.wait_for_log("says: ready"));
  const pid_t first = server.children().at(0);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("process " + std::to_string(first) + " says: left"));
  CHECK(eventually([&] { return server.count_in_log("says: ready") == 2; }));
  SUBCASE("stop") {
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
    CHECK(server.count_in_log("says: left") == 2);
    CHECK(server.count_in_log("warning") == 0);
  }
  SUBCASE("the end of the parent") {
    REQUIRE(eventually([&] { return server.children().size() == 1; }));
    const pid_t child = server.children().at(0);
    server.signal(SIGKILL);
    server.wait_exit();
    CHECK(eventually([&] { return !is_alive(child); }));
  }
}

TEST_CASE("a program that its stop-signal has ended has not failed") {
  const Script script("exec sleep 600");
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--stop-signal=10"}), host());
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(server.count_in_log("warning") == 0);
}

TEST_CASE("stop-signal is a signal that a program can handle") {
  for (const auto& [signal, wrong] :
       {std::pair{"FOO", "is no signal"}, std::pair{"KILL", "can't be handled by a program"}}) {
    ServerProcess server(runs("/bin/true", "listeners", {std::string("--stop-signal=") + signal}),
                         host_that_fails());
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find(wrong) != std::string::npos);
  }
}

TEST_CASE("a limit ends the whole process group of a program") {
  // The first word that it writes is the pid of what it leaves.
  const auto left_by = [](const ServerProcess& server) {
    const std::string log = server.log();
    const auto at = log.find("says: left ");
    return at == std::string::npos ? 0 : static_cast<pid_t>(std::stol(log.substr(at + 11)));
  };
  SUBCASE("graceful-timeout") {
    const Script script(
        "trap '' TERM; (trap '' ABRT; exec sleep 600) & echo left $! >&2; while :; do sleep 1; done");
    ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--graceful-timeout=300ms"}),
                         host());
    REQUIRE(server.wait_for_log("says: left "));
    const pid_t left = left_by(server);
    CHECK(is_alive(left));
    server.signal(SIGHUP);
    CHECK(server.wait_for_log("beyond graceful-timeout; it gets SIGABRT"));
    CHECK(eventually([&] { return !is_alive(left); }));
  }
  SUBCASE("connection-timeout") {
    const Script script("(trap '' ABRT; exec sleep 600) & echo left $! >&2; wait");
    ServerProcess server(runs(script.path(), "connection", {"--connection-timeout=1s"}), host());
    Client client = server.connect();
    REQUIRE(server.wait_for_log("says: left "));
    const pid_t left = left_by(server);
    CHECK(client.ending() == Ending::closed);  // nobody has the connection any more
    CHECK(eventually([&] { return !is_alive(left); }));
    CHECK(server.reaches([](const auto& service) { return service.connection_timeouts == 1; }));
  }
  SUBCASE("a stop at once") {
    const Script script("sleep 600 & echo left $! >&2; wait");
    ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1"}), host());
    REQUIRE(server.wait_for_log("says: left "));
    const pid_t left = left_by(server);
    server.signal(SIGINT);
    CHECK(server.wait_exit() == exited(0));
    CHECK(eventually([&] { return !is_alive(left); }));
  }
}

TEST_CASE("ready = notify: it serves when it says so and its predecessor serves until then") {
  const Script script(
      "import os, socket, sys, time\n"
      "def say(text):\n"
      "    address = '\\0' + os.environ['NOTIFY_SOCKET'][1:]\n"
      "    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text, address)\n"
      "place = os.path.dirname(sys.argv[0])\n"
      "say(b'STATUS=starting')\n"
      "print('waits', flush=True)\n"
      "while not os.path.exists(place + '/go'): time.sleep(0.02)\n"
      "say(b'STATUS=up\\nREADY=1')\n"
      "listener = socket.socket(fileno=3)\n"
      "while True:\n"
      "    connection, _ = listener.accept()\n"
      "    connection.sendall(b'%d\\n' % os.getpid())",
      python);
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--ready=notify"}),
                       host_that_fails());
  REQUIRE(server.wait_for_log("says: waits"));
  // Whoever is no child of the service is not heard.
  const std::string environment = read_file("/proc/" + std::to_string(server.children().at(0)) + "/environ");
  const auto at = environment.find("NOTIFY_SOCKET=@") + 15;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = environment.find('\0', at) - at;
  environment.copy(address.sun_path + 1, length, at);
  const Descriptor stranger(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  CHECK(::sendto(stranger.get(), "READY=1", 7, 0, reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length)) == 7);
  CHECK(rests(server.pid(), 100ms));
  CHECK_FALSE(server.is_ready());
  write_file(script.place("go"), "");
  server.wait_ready();
  const std::string first = server.connect().line();
  std::filesystem::remove(script.place("go"));
  server.signal(SIGHUP);
  CHECK(eventually([&] { return server.count_in_log("says: waits") == 2; }));
  CHECK(server.connect().line() == first);
  CHECK(server.service().starting == 1);
  write_file(script.place("go"), "");
  CHECK(server.reaches([](const auto& service) { return service.idle == 1 && service.children() == 1; }));
  CHECK(server.connect().line() != first);
  CHECK(rests(server.pid(), 200ms));
}

TEST_CASE(
    "command-gets = listener: datagrams start a program on descriptor 0 that ends when it has answered") {
  const Script script(
      "import os, select, socket\n"
      "server = socket.socket(fileno=0)\n"
      "while select.select([server], [], [], 0.2)[0]:\n"
      "    data, peer = server.recvfrom(1000)\n"
      "    server.sendto(b'%d: %s' % (len(os.listdir('/proc/self/fd')) - 1, data), peer)\n"
      "    os.write(2, b'answered\\n')",
      python);
  ServerProcess server(runs(script.path(), "listener", {"--start-servers=0", "--listen=udp:127.0.0.1:0"}),
                       {.program = "brood-command-host", .listen = false});
  CHECK(server.service().children_started == 0);
  for (std::uint64_t round = 1; round <= 2; ++round) {
    const Asker asker(server.address());
    CHECK(asker.ask("hello") == "3: hello");
    CHECK(asker.ask("again") == "3: again");
    CHECK(server.reaches([&](const auto& service) { return service.children_gone == round; }));
  }
  CHECK(server.count_in_log("says: answered") == 4);
  CHECK(server.service().children_failed == 0);
  CHECK(rests(server.pid(), 200ms));
}

TEST_CASE("command-gets = listener is for one address") {
  const auto mistake = [](const std::vector<std::string>& listen) {
    ServerProcess server(runs("/bin/true", "listener", listen),
                         {.program = "brood-command-host", .listen = false, .wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    return server.standard_error();
  };
  CHECK(mistake({"--listen=udp:127.0.0.1:0", "--listen=udp:127.0.0.2:0"})
            .find("with command-gets = listener a service has one address") != std::string::npos);
  for (const char* const both : {"*:0", "udp:*:0"})
    CHECK(mistake({text("--listen=", both)})
              .find(text("listen = ", both, " is two listeners, one for each family")) != std::string::npos);
}

TEST_CASE("a program that takes the listeners is replaced when it is older than max-lifetime-per-child") {
  const Script script("exec sleep 600");
  ServerProcess server(runs(script.path(), "listeners", {"--start-servers=1", "--max-lifetime-per-child=2s"}),
                       host());
  const pid_t first = server.children().at(0);
  CHECK(eventually([&] { return !is_alive(first); }));
  CHECK(server.reaches([](const auto& service) { return service.idle == 1; }));
  CHECK(server.service().children_failed == 0);
  CHECK(server.count_in_log("warning") == 0);
}
