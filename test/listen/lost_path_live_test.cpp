// SPDX-License-Identifier: MIT
// The files of unix sockets and FIFOs, after somebody has removed or replaced them.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "server_process.hpp"
#include "triggered.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

// As a server leaves it that was killed; or, while it is there, one that answers.
Descriptor socket_at(const std::string& path) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(socket.get(), 8) == 0);
  return socket;
}

constexpr const char* opened_again = "was removed or replaced; the listener is opened again";

}  // namespace

TEST_CASE("a unix socket whose file was removed or replaced is opened again by a reload") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  ServerProcess server({"--listen=unix:" + path + ",mode=0640"}, {.listen = false});
  Client before(server.address());
  REQUIRE(before.ask("echo before") == "before");
  std::optional<Client> moved;
  SUBCASE("removed") { fs::remove(path); }
  SUBCASE("replaced by the socket of a server that has ended") {
    fs::remove(path);
    socket_at(path).reset();
  }
  SUBCASE("moved, with a client at its new name") {
    fs::rename(path, place / "moved");
    moved.emplace("unix:" + (place / "moved"));
  }
  server.signal(SIGHUP);
  REQUIRE(server.wait_for_log(opened_again));
  CHECK(eventually([&] { return answers("unix:" + path, "echo again", "again"); }));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  if (moved) CHECK(moved->ask("echo moved") == "moved");
  CHECK(before.ask("echo still") == "still");
  server.signal(SIGHUP);
  REQUIRE(server.reaches([](const auto& service) { return service.generation == 3; }));
  CHECK(server.count_in_log(opened_again) == 1);
  before.close();
  moved.reset();
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a reload does not take the path of a socket from another server, nor a file's") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  ServerProcess server({"--listen=unix:" + path}, {.listen = false});
  fs::remove(path);
  SUBCASE("another server") {
    const Descriptor other = socket_at(path);
    server.signal(SIGHUP);
    CHECK(server.wait_for_log("another server answers there"));
    CHECK(server.wait_for_log("reload refused: nothing has changed"));
    CHECK(fs::is_socket(path));
  }
  SUBCASE("a file") {
    write_file(path, "mine");
    server.signal(SIGHUP);
    CHECK(server.wait_for_log("the path is not a socket"));
    CHECK(read_file(path) == "mine");
  }
  fs::remove(path);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log(opened_again));
  CHECK(eventually([&] { return answers("unix:" + path, "echo again", "again"); }));
}

TEST_CASE("a FIFO that was removed is made again by a reload, and lines of before are handled") {
  Triggered triggered;
  triggered.write("before\n");
  REQUIRE(triggered.has_records(1));
  const Descriptor writer = triggered.writer();
  fs::remove(triggered.path());
  triggered.server.signal(SIGHUP);
  REQUIRE(triggered.server.wait_for_log(opened_again));
  REQUIRE(eventually([&] { return fs::is_fifo(triggered.path()); }));
  triggered.write("again\n");
  CHECK(triggered.has_records(2));
  CHECK(triggered.records().back().text == "again");
}

TEST_CASE("an upgrade opens a unix socket again whose file was removed") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  Upgradeable it({"--listen=unix:" + path}, "", {.listen = false});
  fs::remove(path);
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(it.server.wait_for_log(opened_again));
  CHECK(eventually([&] { return answers("unix:" + path, "version", "two"); }));
}

TEST_CASE("an upgrade whose sockets can't be opened again keeps those that it was given") {
  const TemporaryDirectory place;
  const std::string path = place / "socket";
  Upgradeable it({"--listen=unix:" + path});
  fs::remove(path);
  write_file(path, "in the way");
  it.install("brood-test-server-two");
  REQUIRE(it.upgrade());
  CHECK(it.server.wait_for_log("the listeners of the former program are kept"));
  CHECK(eventually([&] { return answers(it.server.address(), "version", "two"); }));
}
