// SPDX-License-Identifier: MIT
// What a service manager hears of a server: systemd by its socket, s6 by a descriptor.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "broodctl.hpp"
#include "pipe.hpp"
#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

class NotifySocket {
 public:
  explicit NotifySocket(std::string path) : path_(std::move(path)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (path_.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }

  const std::string& path() const { return path_; }
  int descriptor() const { return socket_.get(); }
  // "": none came.
  std::string message(std::chrono::milliseconds wait = patience) {
    pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(wait.count())) != 1) return "";
    std::array<char, 1000> buffer{};
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  // The next one that begins so; what comes before it is dropped.
  std::string next(const std::string& beginning) {
    for (;;) {
      std::string one = message();
      if (one.empty() || one.starts_with(beginning)) return one;
    }
  }
  ServerOptions options(const std::string& watchdog = "") const {
    return {.in_process = [path = path_, watchdog] {
      ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
      if (!watchdog.empty()) ::setenv("WATCHDOG_USEC", watchdog.c_str(), 1);
      if (!watchdog.empty()) ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    }};
  }

 private:
  std::string path_;
  Descriptor socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

TEST_CASE("systemd hears of the start, a reload, a refused reload, an upgrade and the stop") {
  const TemporaryDirectory place;
  std::string path;
  SUBCASE("a path") { path = place / "notify"; }
  SUBCASE("an abstract name") { path = "@brood-test-" + std::to_string(::getpid()); }
  NotifySocket manager(path);
  const std::string config = place / "conf";
  write_file(config, "word = one\n");
  ServerProcess server({"--config=" + config, "--start-servers=2", "--min-spare-servers=1"},
                       manager.options());
  CHECK(manager.message() == "READY=1");
  const std::string two_spares = "STATUS=0 busy, 2 spare, 0 waiting; 2 of 256 children";
  CHECK(manager.next(two_spares) == two_spares);
  // Nobody but the parent talks to the manager.
  CHECK(server.connect().ask("env NOTIFY_SOCKET") == "unset");

  write_file(config, "word = two\n");
  const auto before = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  server.signal(SIGHUP);
  const std::string reloading = manager.next("RELOADING=1\nMONOTONIC_USEC=");
  REQUIRE(reloading.size() > 27);
  CHECK(std::stoll(reloading.substr(27)) >= before.count());
  CHECK(manager.next("READY") == "READY=1");
  CHECK(eventually([&] { return server.connect().ask("word") == "two"; }));

  write_file(config, "no such setting = 1\n");
  server.signal(SIGHUP);
  CHECK(manager.next("RELOADING=1\n").size() > 27);
  CHECK(manager.next("READY") == "READY=1");
  CHECK(server.wait_for_log("reload refused"));

  write_file(config, "word = three\n");
  const CtlAnswer upgraded = ask(server, "upgrade");
  CHECK_MESSAGE(upgraded.code == 0, upgraded.text);
  CHECK(manager.next("READY") == "READY=1");
  CHECK(server.connect().ask("env NOTIFY_SOCKET") == "unset");

  server.signal(SIGTERM);
  CHECK(manager.next("STOPPING") == "STOPPING=1");
  CHECK(manager.next("EXTEND") == "EXTEND_TIMEOUT_USEC=30000000");
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("systemd hears that a server drains, and that this takes time") {
  const TemporaryDirectory place;
  NotifySocket manager(place / "notify");
  ServerProcess server({"--drain-delay=10m", "--start-servers=2", "--min-spare-servers=1"},
                       manager.options());
  CHECK(manager.message() == "READY=1");
  server.signal(SIGTERM);
  CHECK(manager.next("STOPPING") == "STOPPING=1");
  CHECK(manager.next("EXTEND") == "EXTEND_TIMEOUT_USEC=30000000");
  const std::string draining = "STATUS=draining; 0 busy, 2 spare, 0 waiting; 2 of 256 children";
  CHECK(manager.next(draining) == draining);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("systemd's watchdog hears from the loop of the parent, and nothing while that is stopped") {
  const TemporaryDirectory place;
  NotifySocket manager(place / "notify");
  ServerProcess server({}, manager.options("200000"));
  for (int i = 0; i < 5; ++i) CHECK(manager.next("WATCHDOG") == "WATCHDOG=1");
  server.signal(SIGSTOP);
  CHECK(eventually([&] { return process_state(server.pid()) == 'T'; }));
  while (!manager.message(std::chrono::milliseconds(0)).empty()) {
  }
  CHECK(manager.message(std::chrono::milliseconds(500)).empty());
  server.signal(SIGCONT);
  CHECK(manager.next("WATCHDOG") == "WATCHDOG=1");
}

TEST_CASE("a manager that does not read, or is gone, holds up nobody, and READY=1 is not lost") {
  const TemporaryDirectory place;
  NotifySocket manager(place / "notify");
  // The queue of a datagram socket is short; it is full before the server starts.
  const Descriptor other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  manager.path().copy(address.sun_path, sizeof address.sun_path - 1);
  while (::sendto(other.get(), "full", 4, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
         4) {
  }
  ServerProcess server({}, manager.options());
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(manager.next("READY") == "READY=1");
  manager = NotifySocket(place / "other");  // the first one is closed
  CHECK(server.connect().ask("echo hello") == "hello");
  server.signal(SIGHUP);
  CHECK(server.reaches(settled_at(2)));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("s6 gets a newline by its descriptor when the server is ready, and then its end") {
  Pipe pipe;
  ServerProcess server({"--notify-fd=9"}, {.in_process = [&] { ::dup2(pipe.writer.get(), 9); }});
  pipe.writer.reset();
  std::array<char, 10> buffer{};
  CHECK(::read(pipe.reader.get(), buffer.data(), buffer.size()) == 1);
  CHECK(buffer[0] == '\n');
  CHECK(::read(pipe.reader.get(), buffer.data(), buffer.size()) == 0);
  CHECK(server.connect().ask("echo hello") == "hello");
}
