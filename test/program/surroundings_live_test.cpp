// SPDX-License-Identifier: MIT
// What whoever starts a server has left to it: descriptors and signals. None of it reaches a child.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "commanded.hpp"
#include "inherited.hpp"
#include "pipe.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr int pipe_number = 3;
constexpr int last_number = 9;

// Descriptor 3 is a pipe whose reader waits for its end; 4 to 9 are a file that its owner alone may read.
struct Left : Pipe {
  Left() {
    write_file(place / "secret", "of the caller");
    std::filesystem::permissions(place / "secret", std::filesystem::perms(0600));
    secret.reset(::open((place / "secret").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(secret);
  }
  ServerOptions options(const std::string& program) {
    return {.program = program, .in_process = [pipe = writer.get(), file = secret.get()] {
              const int high = ::fcntl(pipe, F_DUPFD_CLOEXEC, 200);
              for (int number = pipe_number + 1; number <= last_number; ++number)
                if (number != file) ::dup2(file, number);
              ::dup2(high, pipe_number);
              ::fcntl(file, F_SETFD, 0);
            }};
  }
  bool has_none_of_it(pid_t pid) const {
    return std::ranges::none_of(open_in(pid), [&](const auto& open) {
      return open.second == place / "secret" || open.second == pipe_name;
    });
  }
  // The reader sees the end while the server runs.
  bool pipe_ends() {
    writer.reset();
    pollfd end{.fd = reader.get(), .events = POLLIN, .revents = 0};
    return eventually([&] { return ::poll(&end, 1, 0) > 0 && (end.revents & POLLHUP) != 0; });
  }

  TemporaryDirectory place;
  Descriptor secret;
  std::string pipe_name;
};

std::vector<std::string> signals_of(pid_t pid) {
  return {status_of(pid, "SigBlk"), status_of(pid, "SigIgn"), status_of(pid, "SigCgt")};
}

}  // namespace

TEST_CASE("descriptors that the caller has left reach neither the parent nor a child") {
  std::string program = "brood-test-server";
  std::vector<std::string> arguments;
  SUBCASE("forked children") {}
  SUBCASE("children with threads") {
    program = "brood-thread-test-server";
    arguments = {"--threads-per-child=2"};
  }
  SUBCASE("children with an event loop") { program = "brood-event-test-server"; }
  SUBCASE("children with coroutines") { program = "brood-async-test-server"; }
  const Script listens("import socket, time\ntime.sleep(1000)", python);
  const Script connection("read line; cat");
  SUBCASE("programs that take a slot") {
    program = "brood-command-host";
    arguments = runs(program_path("brood-test-server"), "slot");
  }
  SUBCASE("programs that take the listeners") {
    program = "brood-command-host";
    arguments = runs(listens.path(), "listeners");
  }
  SUBCASE("programs that take a connection") {
    program = "brood-command-host";
    arguments = runs(connection.path(), "connection");
  }
  CAPTURE(program);
  Left left;
  left.pipe_name = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(left.writer.get()));
  arguments.emplace_back("--start-servers=2");
  ServerProcess server(arguments, left.options(program));
  const Client client = server.connect();  // a program may start for it
  REQUIRE(eventually([&] { return server.children().size() >= 2; }));
  CHECK(left.has_none_of_it(server.pid()));
  for (const pid_t child : server.children()) {
    CHECK(left.has_none_of_it(child));
    for (const pid_t of_child : children_of(child)) CHECK(left.has_none_of_it(of_child));
  }
  CHECK(left.pipe_ends());
}

TEST_CASE("a server in the background leaves the caller's pipe before it is ready") {
  const TemporaryDirectory place;
  Left left;
  ServerOptions options = left.options("brood-test-server");
  options.wait_ready = false;
  ServerProcess starter({"--daemonize", "--pid-file=" + (place / "pid")}, options);
  CHECK(starter.wait_exit() == exited(0));
  CHECK(left.pipe_ends());
  ::kill(std::stoi(read_file(place / "pid")), SIGKILL);
}

TEST_CASE("listeners that the settings or LISTEN_FDS name are kept") {
  const Inherited inherited;
  ServerOptions options = inherited.options();
  std::string listen = "--listen=fd:9";
  SUBCASE("the settings") {}
  SUBCASE("LISTEN_FDS, for a later reload") {
    const TemporaryDirectory place;
    write_file(place / "conf", "listen = 127.0.0.1:0\n");
    options.in_process = [fd = inherited.socket.get()] {
      ::dup2(fd, 50);
      ::dup2(50, 3);
      ::close(50);
      ::setenv("LISTEN_FDS", "1", 1);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    };
    ServerProcess server({"--config=" + (place / "conf")}, options);
    write_file(place / "conf", "listen = fd:3\n");
    server.signal(SIGHUP);
    CHECK(eventually([&] { return answers(inherited.address, "echo hello", "hello"); }));
    return;
  }
  ServerProcess server({listen}, options);
  CHECK(server.connect().ask("echo hello") == "hello");
}

namespace {

// As systemd starts a server with these sockets from descriptor 3 on.
ServerOptions passed(std::vector<int> sockets, const std::string& names, ServerOptions options) {
  options.listen = false;
  options.in_process = [sockets = std::move(sockets), names] {
    constexpr int aside = 50;
    for (int i = 0; const int socket : sockets) ::dup2(socket, aside + i++);
    for (int i = 0; i < static_cast<int>(sockets.size()); ++i) {
      ::dup2(aside + i, 3 + i);
      ::close(aside + i);
    }
    ::setenv("LISTEN_FDS", std::to_string(sockets.size()).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
  };
  return options;
}

}  // namespace

TEST_CASE("listeners are found by the names that were passed with them") {
  const Inherited web, admin, also_web;
  ServerProcess server(
      {"--listen=fd:web", "--listen=fd:admin,name=inside"},
      passed({web.socket.get(), admin.socket.get(), also_web.socket.get()}, "web:admin:web", {}));
  CHECK(server.addresses() == std::vector{web.address, also_web.address, admin.address});
  CHECK(Client(web.address).ask("listener") == "web");
  CHECK(Client(also_web.address).ask("listener") == "web");
  CHECK(Client(admin.address).ask("listener") == "inside");
  SUBCASE("a reload finds them again") { server.signal(SIGHUP); }
  SUBCASE("and an upgrade") { server.signal(SIGUSR2); }
  CHECK(server.reaches(settled_at(2)));
  CHECK(server.count_in_log("listens on") == 0);
  CHECK(Client(also_web.address).ask("listener") == "web");
}

TEST_CASE("a name that was not passed is refused") {
  const Inherited web;
  const auto refused = [&](const ServerOptions& options, const std::string& why) {
    ServerProcess server({"--listen=fd:wbe"}, options);
    CHECK(server.wait_exit() == exited(78));
    CHECK(server.standard_error().find(why) != std::string::npos);
  };
  const ServerOptions options{.listen = false, .wait_ready = false};
  refused(
      passed({web.socket.get()}, "web", options),
      "listen = fd:wbe names no descriptor that was passed to this server; their names are web; did you mean "
      "'web'?");
  refused(options,
          "inherit fd:wbe: no descriptors were passed to this server with LISTEN_FDS and LISTEN_PID");
}

TEST_CASE("signals that the caller has ignored or blocked are as in any other start") {
  ServerProcess usual;
  ServerProcess server({}, {.in_process = [] {
                         for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_IGN);
                         sigset_t all;
                         sigfillset(&all);
                         ::sigprocmask(SIG_SETMASK, &all, nullptr);
                       }});
  CHECK(signals_of(server.pid()) == signals_of(usual.pid()));
  Client client = server.connect();
  Client other = usual.connect();
  CHECK(signals_of(client.child()) == signals_of(other.child()));
  server.signal(SIGTERM);
  client.close();
  CHECK(server.wait_exit() == exited(0));
}
