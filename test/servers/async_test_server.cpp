// SPDX-License-Identifier: MIT
// The test_server in coroutines: does what its clients say, a line each. At the end of a child it looks for
// what the coroutines have left behind, if the address sanitizer is built in.
//
//   echo TEXT     answers TEXT
//   pid           answers the child's pid
//   hold MS       a timer, then answers "held"
//   wait          reads until the client ends
//   both          reads and writes in two coroutines: answers "both", then what it reads
//   background    a coroutine of its own that waits without end; answers "there"
//   note TEXT     sets the note, answers "noted"
//   listener      answers the listener's name
//   client        answers what is known of the client
//   more          answers "more", or in a child that leaves "last", and ends the connection
//   bye           answers "bye" and ends the connection
//   flood N       answers N bytes and ends the connection
//   relay PORT    answers "ready", takes a line, and relays to this port of the loopback from then on
//   record FILE   the same, to a file
//   throw TEXT    a std::runtime_error
//   stop          this_child::stop(), answers "stopping"
//   detach        this_child::detach(), answers "detached"
// and those of system_commands.hpp.
#include <brood/async_server.hpp>
#include <brood/this_child.hpp>
// After it:
#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "client_command.hpp"
#include "system_commands.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace {

namespace asio = boost::asio;
using brood::AsyncConnection;

asio::awaitable<void> sleep(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> wait_without_end(std::shared_ptr<std::string> /*something to lose*/) {
  for (;;) co_await sleep(std::chrono::hours(1));
}

class AsyncTestServer : public brood::AsyncServer {
  void on_child_exit() override {
#ifdef __SANITIZE_ADDRESS__
    if (__lsan_do_recoverable_leak_check() != 0) brood::log_error("test_server: something was left behind");
#endif
    brood::log_info("test_server: a child leaves");
  }

  void on_child_leaving() override {
    brood::log_info("test_server: child " + std::to_string(::getpid()) + " hears that it leaves");
  }

  asio::awaitable<void> handle_connection(AsyncConnection& connection) override {
    std::string unread;
    for (;;) {
      // Not with || in the condition of a while: g++ 12 would await in either case.
      if (unread.empty())
        if (!co_await connection.next_request()) co_return;
      const std::size_t size = co_await asio::async_read_until(connection, asio::dynamic_buffer(unread), '\n',
                                                               asio::use_awaitable);
      const std::string line = unread.substr(0, size - 1);
      unread.erase(0, size);
      if (!co_await obey(connection, line)) co_return;
    }
  }

  // False: the connection ends.
  asio::awaitable<bool> obey(AsyncConnection& connection, std::string line) {
    const auto space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    std::string answer = brood::test::system_answer(command, rest).value_or("");
    if (command == "echo") answer = rest;
    if (command == "pid") answer = std::to_string(::getpid());
    if (command == "listener") answer = connection.listener();
    if (command == "client") answer = brood::test::describe_client(connection);
    if (command == "bye") answer = "bye";
    if (command == "throw") throw std::runtime_error(rest);
    if (command == "flood") answer.assign(std::stoul(rest), 'x');
    if (command == "more") answer = connection.leaving() ? "last" : "more";
    if (command == "note") {
      connection.note(rest);
      answer = "noted";
    }
    if (command == "hold") {
      co_await sleep(std::chrono::milliseconds(std::stoi(rest)));
      answer = "held";
    }
    if (command == "stop") {
      brood::this_child::stop();
      answer = "stopping";
    }
    if (command == "detach") answer = brood::this_child::detach() ? "detached" : "not detached";
    if (command == "wait") {
      char buffer[100];
      while (co_await connection.read_some(buffer) > 0) {
      }
      co_return false;
    }
    if (command == "relay" || command == "record") {
      brood::Descriptor other;
      if (command == "relay")
        other = co_await connect(rest);
      else
        other = record(rest);
      co_await connection.write_all("ready\n");
      co_await connection.read_line();
      co_await connection.relay(other);
      co_return false;
    }
    if (command == "both") {
      co_await connection.write_all("both\n");
      co_await both(connection);
      co_return false;
    }
    if (command == "background") {
      asio::co_spawn(co_await asio::this_coro::executor,
                     wait_without_end(std::make_shared<std::string>(1000, 'x')), asio::detached);
      answer = "there";
    }
    answer += '\n';
    // The one way and the other.
    if (command == "echo")
      co_await asio::async_write(connection, asio::buffer(answer), asio::use_awaitable);
    else
      co_await connection.write_all(answer);
    co_return command != "bye" && command != "flood" && answer != "last\n";
  }

  static asio::awaitable<brood::Descriptor> connect(const std::string& port) {
    asio::ip::tcp::socket socket(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(),
                                        static_cast<std::uint16_t>(std::stoi(port)));
    co_await socket.async_connect(there, asio::use_awaitable);
    co_return brood::Descriptor(socket.release());
  }

  static brood::Descriptor record(const std::string& file) {
    return brood::Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }

  static asio::awaitable<void> both(AsyncConnection& connection) {
    const auto executor = co_await asio::this_coro::executor;
    std::string pending;
    bool ended = false;
    asio::steady_timer changed(executor, asio::steady_timer::time_point::max());
    asio::co_spawn(
        executor,
        [&]() -> asio::awaitable<void> {
          char buffer[100];
          while (const auto size = co_await connection.read_some(buffer)) {
            pending.append(buffer, size);
            changed.cancel();
          }
          ended = true;
          changed.cancel();
        },
        asio::detached);
    while (!ended) {
      if (!pending.empty()) {
        const std::string taken = std::exchange(pending, "");
        co_await connection.write_all(taken);
        continue;
      }
      try {
        co_await changed.async_wait(asio::use_awaitable);
      } catch (const boost::system::system_error&) {  // cancelled: there is something
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) { return AsyncTestServer().run(argc, argv); }
