// SPDX-License-Identifier: MIT
// pid-file and daemonize: a server in the background, and only one of it.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A server in the background is not the test's child: it is found by its pid file, and ended with its
// directory.
struct Background {
  explicit Background(std::vector<std::string> arguments = {}, std::function<void()> in_process = {})
      : starter(with(std::move(arguments)), {.wait_ready = false, .in_process = std::move(in_process)}) {}
  ~Background() {
    if (const pid_t server = pid(); server > 0) ::kill(server, SIGKILL);
  }
  std::vector<std::string> with(std::vector<std::string> arguments) const {
    arguments.emplace_back("--daemonize");
    arguments.push_back("--pid-file=" + (place / "pid"));
    return arguments;
  }
  pid_t pid() const {
    const std::string content = read_file(place / "pid");
    return content.empty() ? 0 : std::stoi(content);
  }

  TemporaryDirectory place;
  ServerProcess starter;
};

}  // namespace

TEST_CASE("a second start with the same pid file says which process holds it and does not start") {
  const TemporaryDirectory place;
  ServerProcess first({"--pid-file=" + (place / "pid")});
  ServerProcess second({"--pid-file=" + (place / "pid")}, {.wait_ready = false});
  CHECK(second.wait_exit() == exited(78));
  CHECK(second.standard_error().find("is held by process " + std::to_string(first.pid())) !=
        std::string::npos);
  CHECK(read_file(place / "pid") == std::to_string(first.pid()) + "\n");
  CHECK(first.connect().ask("echo hello") == "hello");
}

TEST_CASE("a pid file that can't be written ends the start") {
  ServerProcess server({"--pid-file=/no/such/place/pid"}, {.wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find("/no/such/place/pid") != std::string::npos);
}

TEST_CASE("daemonize returns when the server is ready, which then runs on by itself") {
  Background background;
  CHECK(background.starter.wait_exit() == exited(0));
  // The command ends only when the server has logged "ready" and serves.
  REQUIRE(background.starter.is_ready());
  const pid_t server = background.pid();
  REQUIRE(server > 0);
  CHECK(is_alive(server));
  CHECK(::getsid(server) != ::getsid(0));
  background.starter.wait_ready();
  CHECK(background.starter.connect().ask("echo hello") == "hello");
  CHECK(background.starter.ready_line().find("pid " + std::to_string(server)) != std::string::npos);
  CHECK(background.starter.snapshot().parent_pid == server);
  ::kill(server, SIGTERM);
  CHECK(eventually([&] { return !is_alive(server); }));
  CHECK_FALSE(std::filesystem::exists(background.place / "pid"));
}

TEST_CASE("what a child in the background writes to standard error is in the log") {
  Background background;
  CHECK(background.starter.wait_exit() == exited(0));
  background.starter.wait_ready();
  background.starter.connect().send("terminate\n");
  CHECK(background.starter.wait_for_log("says: terminate called"));
}

TEST_CASE("a server in the background holds nothing of the terminal it was started from") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe(ends) == 0);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  Background background({}, [fd = write_end.get()] {
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::close(fd);
  });
  CHECK(background.starter.wait_exit() == exited(0));
  write_end.reset();
  // As in $(server --daemonize): the shell reads until no process has the other end of the pipe open.
  pollfd output{.fd = read_end.get(), .events = POLLIN, .revents = 0};
  CHECK(eventually([&] { return ::poll(&output, 1, 0) > 0; }));
  CHECK((output.revents & POLLHUP) != 0);
}

TEST_CASE("a server in the background is one process beside its children") {
  Background background;
  CHECK(background.starter.wait_exit() == exited(0));
  const pid_t server = background.pid();
  REQUIRE(server > 0);
  // Its parent is none of the processes that started it.
  CHECK(eventually([&] {
    return read_file("/proc/" + std::to_string(parent_of(server)) + "/comm") != "brood-test-server\n";
  }));
}

TEST_CASE("daemonize refuses a relative path in a server's own setting, at a reload too") {
  const std::string wrong =
      "daemonize = yes needs whole paths, because the server runs in /: parent-start = there";
  Background refused({"--parent-start=there"});
  CHECK(refused.starter.wait_exit() == exited(78));
  CHECK(refused.starter.standard_error().find(wrong) != std::string::npos);
  const TemporaryDirectory place;
  write_file(place / "settings.conf", "");
  Background background({"--config=" + (place / "settings.conf")});
  CHECK(background.starter.wait_exit() == exited(0));
  write_file(place / "settings.conf", "parent-start = there\n");
  ::kill(background.pid(), SIGHUP);
  CHECK(background.starter.wait_for_log(wrong));
  CHECK(background.starter.wait_for_log("reload refused: nothing has changed"));
}

TEST_CASE("daemonize returns with the code of a start that failed") {
  SUBCASE("in on_parent_start") {
    Background background({"--refuse=no"});
    CHECK(background.starter.wait_exit() == exited(70));
    CHECK(background.starter.log().find("not started: on_parent_start: no") != std::string::npos);
  }
  SUBCASE("at the pid file") {
    Background first;
    CHECK(first.starter.wait_exit() == exited(0));
    ServerProcess second({"--daemonize", "--pid-file=" + (first.place / "pid")}, {.wait_ready = false});
    CHECK(second.wait_exit() == exited(78));
  }
  SUBCASE("at the listener") {
    ServerProcess other;
    Background background({"--listen=" + other.address()});
    const auto end = background.starter.wait_exit();
    REQUIRE(end);
    CHECK(end->code > 0);
  }
  SUBCASE("in the settings") {
    Background background({"--max-clients=0"});
    CHECK(background.starter.wait_exit() == exited(78));
  }
  SUBCASE("in the children's configuration") {
    const TemporaryDirectory place;
    write_file(place / "order", "throw-configuration the table is missing");
    Background background({"--child-start=" + (place / "order")});
    CHECK(background.starter.wait_exit() == exited(78));
  }
}

TEST_CASE("daemonize with the log on the terminal is refused") {
  ServerProcess server({"--daemonize"}, {.log = false, .wait_ready = false});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.standard_error().find("set log to") != std::string::npos);
  ServerProcess two(
      {"--daemonize", "--log=/dev/null", "--left.log=stdout", "--left.listen=127.0.0.1:0",
       "--right.listen=127.0.0.1:0"},
      {.program = "brood-two-test-servers", .listen = false, .log = false, .wait_ready = false});
  CHECK(two.wait_exit() == exited(78));
  CHECK(two.standard_error().find("is not stdout: set left.log to") != std::string::npos);
}

TEST_CASE("a server in the background runs in / with a umask of its own, wherever it was started") {
  const TemporaryDirectory elsewhere;
  Background background({}, [path = elsewhere.path()] {
    ::umask(0);
    if (::chdir(path.c_str()) != 0) ::_exit(126);
  });
  CHECK(background.starter.wait_exit() == exited(0));
  background.starter.wait_ready();
  const pid_t server = background.pid();
  Client client = background.starter.connect();
  for (const pid_t pid : {server, client.child()}) {
    CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd") == "/");
    CHECK(status_of(pid, "Umask") == "0022");
  }
}

TEST_CASE("a server in the foreground keeps the working directory and the umask of its caller") {
  const TemporaryDirectory elsewhere;
  ServerProcess server({}, {.in_process = [path = elsewhere.path()] {
                         ::umask(0077);
                         if (::chdir(path.c_str()) != 0) ::_exit(126);
                       }});
  Client client = server.connect();
  for (const pid_t pid : {server.pid(), client.child()}) {
    CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd") == elsewhere.path());
    CHECK(status_of(pid, "Umask") == "0077");
  }
}

TEST_CASE("daemonize with a path that is relative is refused") {
  const TemporaryDirectory place;
  write_file(place / "conf", "");
  for (const auto& [given, what] : std::vector<std::pair<std::string, std::string>>{
           {"--pid-file=pid", "pid-file = pid"},
           {"--log=log", "log = log"},
           {"--runtime-directory=run", "runtime-directory = run"},
           {"--config=conf", "config = conf"},
           {"--listen=unix:socket", "listen = unix:socket"}}) {
    CAPTURE(given);
    std::vector<std::string> arguments = {"--daemonize", given};
    if (!given.starts_with("--log")) arguments.push_back("--log=" + (place / "log"));
    ServerProcess server(
        arguments,
        {.runtime_directory = false, .log = false, .wait_ready = false, .in_process = [path = place.path()] {
           if (::chdir(path.c_str()) != 0) ::_exit(126);
         }});
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find("because the server runs in /: " + what) != std::string::npos);
  }
}
