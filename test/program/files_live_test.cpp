// SPDX-License-Identifier: MIT
// What a server finds at the paths that it uses by name: pid file, scoreboard, control socket, log.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "broodctl.hpp"
#include "process_table.hpp"
#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

namespace fs = std::filesystem;

constexpr uid_t stranger = 65534;

std::string control_socket_of(const ServerProcess& server) {
  return fs::path(server.scoreboard()).replace_extension("control");
}

}  // namespace

TEST_CASE("a FIFO at a path that the server uses holds nothing up") {
  const TemporaryDirectory place;
  const auto fifo = [&](const std::string& name) {
    REQUIRE(::mkfifo((place / name).c_str(), 0666) == 0);
    return place / name;
  };
  const std::string runtime = "--runtime-directory=" + place.path();
  SUBCASE("the scoreboard") {
    const std::string path = fifo("brood-test-server.scoreboard");
    const CtlAnswer status = broodctl("--server=" + path + " status");
    CHECK(status.code == 2);
    CHECK(status.says("is not a file"));
    CHECK(broodctl("--server=" + path + " reload").code != 0);
    ServerProcess server({runtime}, {.runtime_directory = false});
    CHECK(broodctl("--server=" + path + " reload").code == 0);
    server.signal(SIGTERM);
    CHECK(server.wait_exit() == exited(0));
  }
  SUBCASE("the scoreboard of one of several services") {
    fs::create_directory(place / "brood-two-test-servers.scoreboard");
    const std::string path = fifo("brood-two-test-servers.scoreboard/left");
    fifo("brood-two-test-servers.scoreboard/.server");
    const std::string directory = place / "brood-two-test-servers.scoreboard";
    CHECK(broodctl("--server=" + directory + " status").code == 2);
    ServerProcess server({runtime, "--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0"},
                         {.program = "brood-two-test-servers", .listen = false, .runtime_directory = false});
    CHECK(broodctl("--server=" + directory + " status").code == 0);
  }
  SUBCASE("the pid file") {
    ServerProcess server({"--pid-file=" + fifo("pid")}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("is not a file of this user with one name") != std::string::npos);
  }
  SUBCASE("the settings") {
    ServerProcess server({"--config=" + fifo("settings")}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
  }
}

TEST_CASE("a pid file that has another name, or another owner, is not written to") {
  const TemporaryDirectory place;
  write_file(place / "precious", "do not lose me");
  const auto refused = [&](const std::string& path) {
    ServerProcess server({"--pid-file=" + path}, {.wait_ready = false});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("remove it, or set another path") != std::string::npos);
  };
  SUBCASE("another name") {
    fs::create_hard_link(place / "precious", place / "pid");
    refused(place / "pid");
  }
  SUBCASE("another owner") {
    if (skipped_without_root()) return;
    REQUIRE(::chown((place / "precious").c_str(), stranger, stranger) == 0);
    refused(place / "precious");
  }
  CHECK(read_file(place / "precious") == "do not lose me");
}

TEST_CASE("a pid file that was removed or replaced is written again by a reload") {
  const TemporaryDirectory place;
  const std::string path = place / "pid";
  ServerProcess server({"--pid-file=" + path});
  SUBCASE("removed") { fs::remove(path); }
  SUBCASE("replaced") {
    fs::remove(path);
    write_file(path, "1\n");
  }
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("pid-file " + path + " was removed or replaced; it was written again"));
  CHECK(read_file(path) == std::to_string(server.pid()) + "\n");
  ServerProcess second({"--pid-file=" + path}, {.wait_ready = false});
  CHECK(second.wait_exit() == exited(78));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a pid file that can't be written again is named, and what is there stays") {
  const TemporaryDirectory place;
  const std::string path = place / "pid";
  ServerProcess server({"--pid-file=" + path});
  fs::remove(path);
  fs::create_directory(path);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("was removed or replaced, and can't be written again"));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK(fs::is_directory(path));
}

TEST_CASE("a control socket whose file was removed is opened again by a reload") {
  ServerProcess server;
  fs::remove(control_socket_of(server));
  REQUIRE(ask(server, "reload").code == 69);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("control socket " + control_socket_of(server) +
                            " was removed or replaced; it was opened again"));
  CHECK(ask(server, "reload").code == 0);
  CHECK(server.count_in_log("was removed or replaced") == 1);
}

TEST_CASE("a control socket that could not be opened at the start is opened by a reload, or by an upgrade") {
  const TemporaryDirectory place;
  const std::string path = place / "brood-test-server.control";
  fs::create_directory(path);
  ServerProcess server({"--runtime-directory=" + place.path()}, {.runtime_directory = false});
  const std::string missing = "control socket " + path + ": ";
  CHECK(server.count_in_log(missing) == 1);
  server.signal(SIGHUP);
  CHECK(eventually([&] { return server.count_in_log(missing) == 2; }));  // it is still in the way
  CHECK(fs::is_directory(path));
  CHECK(server.connect().ask("echo hello") == "hello");
  fs::remove(path);
  SUBCASE("reload") {
    server.signal(SIGHUP);
    CHECK(server.wait_for_log(missing + "open; before, it could not be opened"));
    CHECK(server.count_in_log(missing) == 3);
  }
  SUBCASE("upgrade") {
    server.signal(SIGUSR2);
    CHECK(server.wait_for_log(missing + "open; before, it could not be opened"));
  }
  CHECK(ask(server, "reload").code == 0);
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a client of the control socket gets the answer of the reload that opens it again") {
  ServerProcess server;
  const std::string path = control_socket_of(server);
  fs::rename(path, path + ".moved");
  fs::create_symlink(path + ".moved", path);
  CHECK(ask(server, "reload").code == 0);
  CHECK(server.wait_for_log("was removed or replaced"));
}

TEST_CASE("a scoreboard that was moved gets its name back by a reload") {
  ServerProcess server;
  fs::rename(server.scoreboard(), server.scoreboard() + ".moved");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("scoreboard " + server.scoreboard() +
                            " was removed or replaced; it has its name again"));
  CHECK(ask(server, "reload").code == 0);
}

TEST_CASE("a scoreboard that was removed is missed by a reload, and the server serves on") {
  ServerProcess server;
  fs::remove(server.scoreboard());
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("was removed or replaced: broodctl can't see it until the server is restarted"));
  CHECK(server.wait_for_log("reloaded"));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("what another user has put where the scoreboards belong is neither used nor removed") {
  if (skipped_without_root()) return;
  const TemporaryDirectory place;
  const std::string directory = place / "brood-two-test-servers.scoreboard";
  fs::create_directory(directory);
  write_file(directory + "/theirs", "do not lose me");
  REQUIRE(::chown(directory.c_str(), stranger, stranger) == 0);
  ServerProcess server(
      {"--runtime-directory=" + place.path(), "--left.listen=127.0.0.1:0", "--right.listen=127.0.0.1:0"},
      {.program = "brood-two-test-servers", .listen = false, .runtime_directory = false});
  CHECK(server.count_in_log("no scoreboard for broodctl: directory " + directory + " of another user") == 1);
  CHECK(read_file(directory + "/theirs") == "do not lose me");
}

TEST_CASE("a runtime directory that everybody can write to has no scoreboard") {
  const TemporaryDirectory place;
  fs::permissions(place.path(), fs::perms(0777));
  ServerProcess server({"--runtime-directory=" + place.path()}, {.runtime_directory = false});
  CHECK(server.count_in_log("no scoreboard for broodctl: runtime-directory " + place.path()) == 1);
}

TEST_CASE("a log that is another user's FIFO is refused") {
  if (skipped_without_root()) return;
  const TemporaryDirectory place;
  const std::string path = place / "log";
  REQUIRE(::mkfifo(path.c_str(), 0666) == 0);
  REQUIRE(::chown(path.c_str(), stranger, stranger) == 0);
  const Descriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ServerProcess server({"--log=" + path}, {.log = false, .wait_ready = false});
  CHECK(server.wait_exit() != exited(0));
  CHECK(server.standard_error().find("belongs to another user") != std::string::npos);
}
