// SPDX-License-Identifier: MIT
// What brood/testing.hpp gives to tests of one's own server, tried on small servers of each child model.
#include "brood/testing.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <csignal>
#include <stdexcept>
#include <string>

#include "brood/async_server.hpp"
#include "brood/error.hpp"
#include "brood/event_server.hpp"
#include "brood/log.hpp"
#include "brood/program.hpp"
#include "brood/settings.hpp"
#include "brood/trigger_server.hpp"

using namespace brood;

namespace {

// Answers each line, with what was set before it.
class Blocking : public Server {
  std::string prefix_ = "you said ";
  void add_settings(Settings& settings) override {
    settings.text("prefix", prefix_, "What is written before each line.");
  }
  void handle_connection(Connection& connection) override {
    while (const auto line = connection.read_line()) {
      connection.note(*line);
      if (*line == "throw") throw std::runtime_error("as told");
      if (*line == "stop") return;
      if (*line == "log") log_info("as told");
      connection.write_all(prefix_ + *line + "\n");
    }
  }
};

class Events : public EventServer {
  Next handle_readable(Connection& connection) override {
    while (const auto line = connection.try_line()) {
      connection.note(*line);
      if (*line == "throw") throw std::runtime_error("as told");
      if (*line == "stop") return Next::close;
      connection.write_all("you said " + *line + "\n");
    }
    return Next::request;
  }
};

class Coroutines : public AsyncServer {
  boost::asio::awaitable<void> handle_connection(AsyncConnection& connection) override {
    std::string unread;
    std::array<char, 4096> buffer{};
    while (const auto size = co_await connection.read_some(buffer)) {
      unread.append(buffer.data(), size);
      for (auto end = unread.find('\n'); end != std::string::npos; end = unread.find('\n')) {
        const std::string line = unread.substr(0, end);
        unread.erase(0, end + 1);
        connection.note(line);
        if (line == "throw") throw std::runtime_error("as told");
        if (line == "stop") co_return;
        co_await connection.write_all("you said " + line + "\n");
      }
    }
  }
};

class Ticks : public TriggerServer {
  void handle_trigger(Trigger& /*trigger*/) override {}
};

void check_conversation(ServerBase& server) {
  const auto result = testing::run(server, "hello\nworld\n");
  CHECK(result.output == "you said hello\nyou said world\n");
  CHECK(result.notes == std::vector<std::string>{"hello", "world"});
  CHECK(result.outcome == Outcome::served);
}

void check_ends(ServerBase& server) {
  CHECK(testing::run(server, "hello\nthrow\nhello\n").output == "you said hello\n");
  CHECK(testing::run(server, "throw\n").outcome == Outcome::failed);
  CHECK(testing::run(server, "hello\nstop\nmore\n").output == "you said hello\n");
  CHECK(testing::run(server, "stop\n").outcome == Outcome::served);
  CHECK(testing::run(server, "").outcome == Outcome::probe);
}

std::string lines(unsigned number, const std::string& line) {
  std::string all;
  for (unsigned i = 0; i < number; ++i) all += line + "\n";
  return all;
}

}  // namespace

TEST_CASE("a handler of each child model is run over one connection") {
  SUBCASE("blocking") {
    Blocking server;
    check_conversation(server);
    check_ends(server);
  }
  SUBCASE("event loop") {
    Events server;
    check_conversation(server);
    check_ends(server);
  }
  SUBCASE("coroutines") {
    Coroutines server;
    check_conversation(server);
    check_ends(server);
  }
}

TEST_CASE("a handler may be a function") {
  const auto result = testing::run([](Connection& connection) { connection.write_all("hello\n"); }, "");
  CHECK(result.output == "hello\n");
  CHECK(result.outcome == Outcome::served);
}

TEST_CASE("input and output may be larger than any buffer, in both directions at once") {
  Blocking server;
  const auto result = testing::run(server, lines(100'000, "hello"));
  CHECK(result.output == lines(100'000, "you said hello"));
}

TEST_CASE("the limits of a connection hold") {
  class Slow : public Server {
    void handle_connection(Connection& connection) override {
      ::poll(nullptr, 0, 20);
      connection.write_all("too late\n");
    }
  } server;
  const auto result = testing::run(server, "", {.connection_timeout = std::chrono::milliseconds(10)});
  CHECK(result.output == "");
  CHECK(result.outcome == Outcome::timed_out);
}

TEST_CASE("a server that takes no connection is refused") {
  Ticks server;
  CHECK_THROWS_WITH_AS(testing::run(server, ""),
                       "testing: the server has taken no connection, or has not finished it", Error);
}

TEST_CASE("a whole server runs until the end of the scope") {
  pid_t parent = 0;
  {
    testing::Running server(Blocking{}, {"--max-clients=2", "--start-servers=1", "--prefix=> "});
    parent = server.pid();
    CHECK(server.exchange("hello\nlog\n") == "> hello\n> log\n");
    CHECK(server.address() == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(server.snapshot().services.at(0).max_clients == 2);
    CHECK(server.log().find("info: as told") != std::string::npos);
  }
  CHECK(::kill(parent, 0) != 0);
}

TEST_CASE("a server that is stopped has an exit code") {
  testing::Running server(Blocking{});
  CHECK(server.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("a server that does not start says why") {
  try {
    const testing::Running server(Blocking{}, {"--max-clients=none"});
    FAIL("it started");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("max-clients") != std::string::npos);
  }
}

TEST_CASE("--single serves in one process, with all hooks, until it is told to stop") {
  class Hooks : public Blocking {
    void on_parent_start() override { log_info("parent start"); }
    void on_child_start() override { log_info("child start"); }
    void on_child_exit() override { log_info("child exit"); }
  };
  testing::Running server(Hooks{}, {"--single"});
  CHECK(server.exchange("hello\n") == "you said hello\n");
  CHECK(server.exchange("throw\n") == "");
  CHECK(server.exchange("log\n") == "you said log\n");
  CHECK(server.log().find("[" + std::to_string(server.pid()) + "] info: as told") != std::string::npos);
  CHECK(server.stop() == 0);
  for (const std::string hook : {"parent start", "child start", "child exit"})
    CHECK(server.log().find(hook) != std::string::npos);
}

TEST_CASE("--single serves an event loop and coroutines, too") {
  CHECK(testing::Running(Events{}, {"--single"}).exchange("hello\n") == "you said hello\n");
  CHECK(testing::Running(Coroutines{}, {"--single"}).exchange("hello\n") == "you said hello\n");
}

TEST_CASE("a program of several services runs as one server") {
  const testing::Running server(
      [](int argc, char** argv) {
        Blocking first;
        Events second;
        Program program;
        program.add("first", first);
        program.add("second", second);
        return program.run(argc, argv);
      },
      {"--first.listen=127.0.0.1:0", "--second.listen=127.0.0.1:0"});
  CHECK(server.exchange("hello\n") == "you said hello\n");
  CHECK(server.snapshot().services.size() == 2);
}
