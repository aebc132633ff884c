// SPDX-License-Identifier: MIT
// The event loop over a fake child, with threads on both sides: the thread sanitizer finds races here.
#include "models/event_loop/reactor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log/log_target.hpp"
#include "brood/error.hpp"
#include "eventually.hpp"
#include "pipe.hpp"

using namespace brood;
using brood::test::eventually;
using namespace std::chrono_literals;

namespace {

const int quiet = (open_log({.name = "test", .to = "/dev/null"}), 0);

class FakeChild final : public Child, private ConnectionHost {
 public:
  explicit FakeChild(const ChildLimits& limits)
      : limits_(limits), arrived_(::eventfd(0, EFD_NONBLOCK)), leave_(::eventfd(0, EFD_NONBLOCK)) {}

  // ---- for the test
  Descriptor connect() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const std::lock_guard lock(mutex_);
    queue_.emplace_back(ends[0]);
    write_one(arrived_);
    return Descriptor(ends[1]);
  }
  void tell_to_leave() {
    leaving_ = true;
    write_one(leave_);
  }
  void break_accept() {
    const std::lock_guard lock(mutex_);
    broken_ = true;
    write_one(arrived_);
  }
  bool all_ended() {
    const std::lock_guard lock(mutex_);
    return open_.empty() && queue_.empty();
  }
  std::atomic<unsigned> served = 0, failed = 0;

  // ---- Child
  const ChildLimits& limits() const override { return limits_; }
  std::optional<Connection> try_accept() override {
    const std::lock_guard lock(mutex_);
    if (broken_) throw SystemError("accept", EBADF);
    if (queue_.empty()) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto size = ::read(arrived_.get(), &count, sizeof count);
      return {};
    }
    ConnectionId id = 0;
    while (open_.contains(id)) ++id;
    open_.insert(id);
    const sockaddr_storage peer{};
    const auto deadline = limits_.connection_timeout > 0ms
                              ? std::chrono::steady_clock::now() + limits_.connection_timeout
                              : Connection::no_deadline;
    const auto first_byte = limits_.first_byte_timeout > 0ms
                                ? std::chrono::steady_clock::now() + limits_.first_byte_timeout
                                : Connection::no_deadline;
    Connection connection(std::move(queue_.front()), {.peer = peer,
                                                      .listener = "",
                                                      .host = *this,
                                                      .id = id,
                                                      .blocks = false,
                                                      .deadline = deadline,
                                                      .first_byte = first_byte});
    queue_.pop_front();
    return connection;
  }
  void finished(Connection connection, Outcome outcome) override {
    connection.close();
    ++(outcome == Outcome::served ? served : failed);
    const std::lock_guard lock(mutex_);
    CHECK(open_.erase(connection.id()) == 1);
  }
  void watch_listeners(int epoll, std::uint64_t data) override {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
    REQUIRE(::epoll_ctl(epoll, EPOLL_CTL_ADD, arrived_.get(), &event) == 0);
  }
  int leave_fd() override { return leave_.get(); }
  unsigned beginning() const override { return 0; }
  bool leaving() const override { return leaving_; }
  bool detached() const override { return false; }
  void extend_deadline(ConnectionId /*id*/, Time /*until*/) override {}
  void note(ConnectionId /*id*/, std::string_view /*text*/) override {}
  std::optional<Connection> accept() override { return {}; }
  std::optional<ConnectionId> receive(Receiver& /*receiver*/) override { return {}; }
  void finished(ConnectionId /*id*/, Outcome /*outcome*/, std::uint64_t /*read*/,
                std::uint64_t /*written*/) override {}
  int listener_fd() override { return -1; }

 private:
  static void write_one(const Descriptor& eventfd) {
    const std::uint64_t one = 1;
    REQUIRE(::write(eventfd.get(), &one, sizeof one) == sizeof one);
  }

  const ChildLimits limits_;
  Descriptor arrived_, leave_;
  std::atomic<bool> leaving_ = false;
  std::mutex mutex_;  // for what follows
  std::deque<Descriptor> queue_;
  std::set<ConnectionId> open_;
  bool broken_ = false;
};

// The loop in as many threads as the limits have.
class LoopThreads {
 public:
  LoopThreads(FakeChild& child, Reactor::Handler handler) : reactor_(child, std::move(handler), tasks) {
    for (unsigned i = 0; i < child.limits().threads; ++i)
      threads_.emplace_back([this] {
        try {
          reactor_.run();
        } catch (const std::exception&) {
          ++failed;
        }
      });
  }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  Reactor& reactor() { return reactor_; }
  std::atomic<unsigned> failed = 0;
  LoopTasks tasks;

 private:
  Reactor reactor_;
  std::vector<std::thread> threads_;
};

// "": the end came, or nothing within the time.
std::string receive(const Descriptor& socket, std::chrono::milliseconds patience = 20s) {
  pollfd input{.fd = socket.get(), .events = POLLIN, .revents = 0};
  std::string buffer(4096, '\0');
  if (::poll(&input, 1, static_cast<int>(patience.count())) <= 0) return "";
  const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
  buffer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return buffer;
}
std::string receive_all(const Descriptor& socket, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const std::string some = receive(socket);
    if (some.empty()) break;
    all += some;
  }
  return all;
}
void send(const Descriptor& socket, std::string_view data) {
  ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
}

Next answer(Connection& connection, Reactor::Call call) {
  if (call == Reactor::Call::accepted) return Next::more_input;
  auto& count = connection.state<unsigned>();  // two threads in one connection would be a race
  while (const auto line = connection.try_line()) {
    ++count;
    if (*line == "throw") throw std::runtime_error("as told");
    if (*line == "break") {
      // What a handler must not do: epoll takes no plain file.
      const Descriptor file(::memfd_create("file", MFD_CLOEXEC));
      ::dup2(file.get(), connection.descriptor());
      return Next::more_input;
    }
    connection.write_all(*line == "flood" ? std::string(300'000, 'x') : *line + '\n');
    if (*line == "close") return Next::close;
  }
  return Next::request;
}

// The test case runs with both.
unsigned four_threads_or_one() {
  unsigned threads = 4;
  SUBCASE("four threads") {}
  SUBCASE("one thread") { threads = 1; }
  return threads;
}

}  // namespace

TEST_CASE("input that comes with its connection is reported once, and only if it was not read yet") {
  const unsigned threads = four_threads_or_one();
  FakeChild child({.threads = threads, .connections = 100});
  bool reads_when_accepted = false;
  SUBCASE("it is read later") {}
  SUBCASE("it is read when the connection was accepted") { reads_when_accepted = true; }
  std::atomic<unsigned> accepted = 0, inputs = 0, in_vain = 0;
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    std::array<char, 64> buffer{};
    if (call == Reactor::Call::accepted) {
      pollfd input{.fd = connection.descriptor(), .events = POLLIN, .revents = 0};
      CHECK(::poll(&input, 1, 20'000) == 1);
      if (reads_when_accepted) CHECK(connection.try_read(buffer) == 6);
      ++accepted;
      return Next::more_input;
    }
    const auto size = connection.try_read(buffer);
    ++(size ? inputs : in_vain);
    if (size) connection.write_all({buffer.data(), *size});
    return Next::request;
  });
  for (unsigned i = 1; i <= 50; ++i) {
    const Descriptor socket = child.connect();
    send(socket, "hello\n");
    CHECK(eventually([&] { return accepted == i; }));
    if (!reads_when_accepted) CHECK(receive_all(socket, 6) == "hello\n");
    send(socket, "again\n");
    CHECK(receive_all(socket, 6) == "again\n");
  }
  child.tell_to_leave();
  loop.join();
  CHECK(in_vain == 0);
  CHECK(inputs >= (reads_when_accepted ? 50 : 100));  // and the ends
}

TEST_CASE("input that comes with its connection is its first byte, also if it is read with other means") {
  const unsigned threads = four_threads_or_one();
  FakeChild child({.threads = threads, .connections = 100, .first_byte_timeout = 200ms});
  std::atomic<bool> read = false;
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::accepted) {
      pollfd input{.fd = connection.descriptor(), .events = POLLIN, .revents = 0};
      CHECK(::poll(&input, 1, 20'000) == 1);
      return Next::more_input;
    }
    std::array<char, 64> buffer{};
    read = ::recv(connection.descriptor(), buffer.data(), buffer.size(), 0) > 0;
    return read ? Next::more_input : Next::close;
  });
  Descriptor socket = child.connect();
  send(socket, "hello\n");
  CHECK(eventually([&] { return read.load(); }));
  CHECK(receive(socket, 500ms).empty());
  CHECK_FALSE(child.all_ended());
  socket.reset();
  CHECK(eventually([&] { return child.all_ended(); }));
  CHECK(child.failed == 0);
  child.tell_to_leave();
  loop.join();
}

TEST_CASE("clients that come and go at random, idle timeouts, and an order to leave") {
  const unsigned threads = four_threads_or_one();
  for (unsigned round = 0; round < 15; ++round) {
    CAPTURE(round);
    FakeChild child(
        {.threads = threads, .connections = 1000, .connection_timeout = 300ms, .idle_timeout = 15ms});
    LoopThreads loop(child, answer);
    std::atomic<bool> stop = false;
    std::atomic<unsigned> connected = 0, unanswered = 0;
    std::vector<std::thread> clients;
    for (unsigned i = 0; i < 4; ++i)
      clients.emplace_back([&, i] {
        std::minstd_rand random(round * 16 + i + 1);
        while (!stop) {
          const auto begin = std::chrono::steady_clock::now();
          const auto passed = [begin] { return std::chrono::steady_clock::now() - begin; };
          const Descriptor socket = child.connect();
          ++connected;
          if (random() % 8 == 0) continue;  // gone at once
          send(socket, "hello\n");
          const bool sent_in_time = passed() < child.limits().idle_timeout;
          if (receive(socket) != "hello\n" && sent_in_time && passed() < child.limits().connection_timeout)
            ++unanswered;
          switch (random() % 6) {
            case 0:
              send(socket, "flood\n");
              break;
            case 1:
              send(socket, "close\nunread");
              receive(socket);
              break;
            case 2:
              send(socket, "throw\nunread");
              break;
            case 3:
              ::poll(nullptr, 0, static_cast<int>(10 + random() % 10));  // about the idle timeout
              send(socket, "more\n");
              receive(socket);
              break;
            case 4:
              send(socket, "half a line");
              ::shutdown(socket.get(), SHUT_WR);
              receive(socket);
              break;
            default:
              break;
          }
        }
      });
    std::this_thread::sleep_for(60ms);
    stop = true;
    for (auto& client : clients) client.join();
    child.tell_to_leave();
    loop.join();  // hangs if a connection was forgotten
    CHECK(loop.failed == 0);
    CHECK(child.all_ended());
    CHECK(child.served + child.failed == connected);
    CHECK(unanswered == 0);
  }
}

TEST_CASE("a child that is told to leave while connections come serves those that it accepts") {
  for (unsigned round = 0; round < 40; ++round) {
    FakeChild child({.threads = 3, .connections = 1000});
    LoopThreads loop(child, answer);
    std::vector<Descriptor> early;
    for (int i = 0; i < 10; ++i) {
      early.push_back(child.connect());
      send(early.back(), "hello\nclose\n");
    }
    child.tell_to_leave();
    for (const auto& socket : early) CHECK(receive(socket).starts_with("hello\n"));
    loop.join();
    CHECK(child.served == 10);
  }
}

TEST_CASE(
    "idle connections of a child that leaves have a second for a last request, those that wait have more") {
  FakeChild child({.threads = 2, .connections = 10});
  LoopThreads loop(child, [](Connection& connection, Reactor::Call call) {
    const Next next = answer(connection, call);
    return connection.state<unsigned>() < 2 ? Next::more_input : next;
  });
  const Descriptor idle = child.connect(), waiting = child.connect();
  for (int i = 0; i < 2; ++i) {
    send(idle, "hello\n");
    CHECK(receive(idle) == "hello\n");
  }
  send(waiting, "hello\n");
  CHECK(receive(waiting) == "hello\n");
  ::poll(nullptr, 0, 1200);
  child.tell_to_leave();
  ::poll(nullptr, 0, 100);
  send(idle, "in time\n");
  CHECK(receive(idle) == "in time\n");
  CHECK(receive(idle).empty());  // and then the end
  send(waiting, "hello\n");
  CHECK(receive(waiting) == "hello\n");
  loop.join();
  CHECK(child.served == 2);
}

TEST_CASE("a handler that takes one line a call gets all lines, and is called no oftener") {
  const unsigned threads = four_threads_or_one();
  constexpr unsigned lines = 3000;
  std::atomic<unsigned> calls = 0;
  FakeChild child({.threads = threads, .connections = 10});
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::accepted) return Next::more_input;
    ++calls;
    if (const auto line = connection.try_line()) connection.write_all(*line + '\n');
    return Next::request;
  });
  const Descriptor socket = child.connect();
  std::string sent;
  for (unsigned i = 0; i < lines; ++i) sent += std::to_string(i) + '\n';
  send(socket, sent + "half");
  CHECK(receive_all(socket, sent.size()) == sent);
  send(socket, " a line\n");
  CHECK(receive(socket) == "half a line\n");
  child.tell_to_leave();
  loop.join();
  // Besides a call for each line: those that have found no whole line, and those after an answer that the
  // client had not taken at once.
  CHECK(calls >= lines + 1);
  CHECK(calls < lines + 100);
}

TEST_CASE("a handler that leaves what is in the buffer is not called for it without end") {
  std::atomic<unsigned> calls = 0;
  FakeChild child({.threads = 1, .connections = 10});
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::accepted) return Next::more_input;
    const auto line = calls++ == 1 ? std::nullopt : connection.try_line();
    if (line) connection.write_all(*line + '\n');
    return Next::request;
  });
  const Descriptor socket = child.connect();
  send(socket, "one\ntwo\nthree\n");
  CHECK(receive(socket) == "one\n");
  // Its turn is over: others have theirs.
  const Descriptor other = child.connect();
  send(other, "other\n");
  CHECK(receive(other) == "other\n");
  CHECK(calls == 3);
  send(socket, "four\n");
  CHECK(receive_all(socket, 15) == "two\nthree\nfour\n");
  child.tell_to_leave();
  loop.join();
}

TEST_CASE("a handler that takes one line a call has no more of it before its answer was sent") {
  std::atomic<unsigned> calls = 0;
  FakeChild child({.threads = 1, .connections = 10});
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::accepted) return Next::more_input;
    if (!connection.try_line()) return Next::request;
    ++calls;
    connection.write_all(std::string(300'000, 'x'));
    return Next::request;
  });
  const Descriptor socket = child.connect();
  send(socket, "one\ntwo\n");
  const auto begun = receive(socket).size();  // of the first answer, most of which waits
  CHECK(calls == 1);
  CHECK(receive_all(socket, 600'000 - begun).size() == 600'000 - begun);
  CHECK(calls == 2);
  child.tell_to_leave();
  loop.join();
}

TEST_CASE("the timer of a connection: once, in place of the one before, in turn with its handlers") {
  const unsigned threads = four_threads_or_one();
  struct Session {
    unsigned lines = 0, timers = 0;  // two handlers at once would be a race
  };
  FakeChild child({.threads = threads, .connections = 100, .idle_timeout = 20s});
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    auto& session = connection.state<Session>();
    const auto set = [&](Time time) { loop.reactor().set_timer(connection, time); };
    if (call == Reactor::Call::timer) {
      connection.write_all("timer " + std::to_string(++session.timers) + "\n");
      return session.timers == 3 ? Next::close : Next::request;
    }
    while (const auto line = connection.try_line()) {
      ++session.lines;
      if (*line == "set") {
        set(Clock::now() + 1h);
        set(Clock::now() + 5ms);
      }
      if (*line == "set and cancel") {
        set(Clock::now());
        set(never);
        connection.write_all("cancelled\n");
      }
      if (*line == "set and flood") {
        set(Clock::now());
        connection.write_all(std::string(300'000, 'x') + "\n");
      }
    }
    return Next::request;
  });
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      const Descriptor socket = child.connect();
      send(socket, "set\n");
      CHECK(receive(socket) == "timer 1\n");
      send(socket, "set and cancel\n");
      CHECK(receive(socket) == "cancelled\n");
      // Not before what was written has been sent.
      send(socket, "set and flood\n");
      ::poll(nullptr, 0, 20);
      const std::string flood = std::string(300'000, 'x') + "\ntimer 2\n";
      CHECK(receive_all(socket, flood.size()) == flood);
      send(socket, "set\n");
      while (true) {
        send(socket, "and lines meanwhile\n");
        if (const std::string some = receive(socket, 0ms); !some.empty()) {
          CHECK(some == "timer 3\n");
          break;
        }
      }
      CHECK(receive(socket).empty());
    });
  for (auto& client : clients) client.join();
  const Descriptor ends_before_it = child.connect();
  send(ends_before_it, "set\n");
  CHECK(receive(ends_before_it) == "timer 1\n");
  send(ends_before_it, "set\n");
  ::shutdown(ends_before_it.get(), SHUT_WR);
  child.tell_to_leave();
  loop.join();
  CHECK(child.failed == 0);
}

TEST_CASE("a timer that writes nothing keeps no connection from its idle timeout") {
  FakeChild child({.threads = 1, .connections = 10, .idle_timeout = 1s});
  std::atomic<unsigned> timers = 0;
  LoopThreads loop(child, [&](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::timer) ++timers;
    loop.reactor().set_timer(connection, Clock::now() + 10ms);
    return Next::request;
  });
  const Descriptor socket = child.connect();
  CHECK(receive(socket).empty());
  CHECK(timers > 0);
  child.tell_to_leave();
  loop.join();
}

namespace {

// Tells each line to all. "throw" and "close" are for the others.
class EveryLineToAll : public EventServer {
 public:
  std::vector<ConnectionHandle> handles() {
    const std::lock_guard lock(mutex_);
    return handles_;
  }
  std::atomic<unsigned> lines = 0;

 private:
  Next handle_accepted(Connection& connection) override {
    connection.state<unsigned>() = 0;
    const std::lock_guard lock(mutex_);
    handles_.push_back(handle_of(connection));
    CHECK(handles_.back() == handle_of(connection));
    return Next::more_input;
  }
  Next handle_readable(Connection& connection) override {
    if (const auto line = connection.try_line()) {
      ++connection.state<unsigned>();  // two functions with one connection at once would be a race
      ++lines;
      for (const auto& handle : handles())
        handle.post([line = *line](Connection& to) {
          ++to.state<unsigned>();
          if (line == "throw") throw std::runtime_error("as told");
          if (line != "close") to.write_all(line + '\n');
          return line == "close" ? Next::close : Next::request;
        });
    }
    return Next::request;
  }

  std::mutex mutex_;
  std::vector<ConnectionHandle> handles_;
};

// serve() in a thread.
class ServedChild {
 public:
  ServedChild(FakeChild& child, EventServer& server) : child_(child), thread_([&] { server.serve(child); }) {}
  void leave() {
    child_.tell_to_leave();
    thread_.join();
  }

 private:
  FakeChild& child_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("what one client says reaches the others, in order, as clients come and go") {
  FakeChild child({.threads = four_threads_or_one(), .connections = 1000});
  EveryLineToAll server;
  ServedChild served(child, server);
  const Descriptor listener = child.connect();
  CHECK(eventually([&] { return server.handles().size() == 1; }));
  constexpr unsigned talkers = 4, rounds = 30;
  std::atomic<bool> wrong = false;
  std::vector<std::thread> clients;
  for (unsigned i = 0; i < talkers; ++i)
    clients.emplace_back([&, i] {
      for (unsigned round = 0; round < rounds; ++round) {
        const std::string one = std::to_string(i) + " says " + std::to_string(round) + "\n";
        const std::string two = std::to_string(i) + " repeats " + std::to_string(round) + "\n";
        const Descriptor socket = child.connect();
        send(socket, one + two);
        std::string heard;
        while (heard.find(two) == std::string::npos) {
          const std::string some = receive(socket);
          if (some.empty()) break;
          heard += some;
        }
        wrong = wrong || heard.find(one) == std::string::npos || heard.find(two) < heard.find(one);
      }
    });
  std::string heard;
  while (std::count(heard.begin(), heard.end(), '\n') < 2 * talkers * rounds) {
    const std::string some = receive(listener);
    REQUIRE_FALSE(some.empty());
    heard += some;
  }
  for (auto& client : clients) client.join();
  CHECK_FALSE(wrong);
  for (unsigned round = 1; round < rounds; ++round)
    CHECK(heard.find("0 says " + std::to_string(round - 1) + "\n") <
          heard.find("0 says " + std::to_string(round) + "\n"));
  served.leave();
  CHECK(child.all_ended());
  // One that leaves without reading all breaks its connection.
  CHECK(child.served + child.failed == talkers * rounds + 1);
}

TEST_CASE("handles in other threads: of connections that end, and after the end of the loop") {
  FakeChild child({.threads = four_threads_or_one(), .connections = 1000});
  EveryLineToAll server;
  ServedChild served(child, server);
  std::atomic<bool> stop = false;
  std::atomic<unsigned> run = 0;
  std::vector<std::thread> posters;
  for (unsigned i = 0; i < 3; ++i)
    posters.emplace_back([&] {
      while (!stop) {
        for (const auto& handle : server.handles())
          handle.post([&](Connection& connection) {
            ++connection.state<unsigned>();
            ++run;
          });
        std::this_thread::sleep_for(1ms);
      }
    });
  for (unsigned i = 0; i < 60; ++i) {
    const Descriptor socket = child.connect();
    send(socket, "hello\n");
    CHECK(receive(socket).ends_with("hello\n"));
  }
  CHECK(eventually([&] { return child.all_ended(); }));
  // A number is used again, but not by the same handle.
  const Descriptor last = child.connect();
  CHECK(eventually([&] { return server.handles().size() == 61; }));
  server.handles().front().post([](Connection& connection) { connection.write_all("wrong\n"); });
  server.handles().back().post([](Connection& connection) { connection.write_all("right\n"); });
  CHECK(receive(last) == "right\n");
  server.handles().back().post([](Connection& /*connection*/) { return Next::close; });
  CHECK(receive(last).empty());
  served.leave();
  stop = true;
  for (auto& poster : posters) poster.join();
  const unsigned before = run;
  for (const auto& handle : server.handles()) handle.post([&](Connection& /*connection*/) { ++run; });
  ConnectionHandle().post([&](Connection& /*connection*/) { ++run; });
  CHECK(run == before);
  CHECK(run > 0);
}

TEST_CASE("an exception of what was posted ends that connection") {
  FakeChild child({.threads = 1, .connections = 10});
  EveryLineToAll server;
  ServedChild served(child, server);
  const Descriptor socket = child.connect();
  send(socket, "throw\n");
  CHECK(receive(socket).empty());
  const Descriptor other = child.connect();
  send(other, "hello\n");
  CHECK(receive(other) == "hello\n");
  served.leave();
  CHECK(child.failed == 1);
  CHECK(child.served == 1);
}

TEST_CASE("a peer that takes no output is ended when too many functions wait for it, and others go on") {
  FakeChild child({.threads = four_threads_or_one(), .connections = 10});
  EveryLineToAll server;
  ServedChild served(child, server);
  const Descriptor stuck = child.connect();
  CHECK(eventually([&] { return server.handles().size() == 1; }));
  const ConnectionHandle handle = server.handles().front();
  const auto owned = std::make_shared<int>();
  std::atomic<unsigned> run = 0;
  const std::string much(300'000, 'x');
  for (std::size_t i = 0; i < ConnectionHandle::most_waiting; ++i)
    handle.post([&, owned](Connection& connection) {
      ++run;
      connection.write_all(much);
    });
  Descriptor other = child.connect();
  CHECK(eventually([&] { return server.handles().size() == 2; }));
  server.handles().back().post([](Connection& connection) { connection.write_all("hello\n"); });
  CHECK(receive(other) == "hello\n");
  CHECK(run == 1);  // the others wait until the peer has taken it
  CHECK(child.failed == 0);
  for (int i = 0; i < 3; ++i) handle.post([owned](Connection& /*connection*/) {});
  CHECK(eventually([&] { return child.failed == 1 && owned.use_count() == 1; }));
  CHECK(run == 1);
  server.handles().back().post([](Connection& connection) { connection.write_all("on\n"); });
  CHECK(receive(other) == "on\n");
  other.reset();
  served.leave();
}

TEST_CASE("functions that wait for a slow peer run when it has taken its output") {
  FakeChild child({.threads = 1, .connections = 10});
  EveryLineToAll server;
  ServedChild served(child, server);
  const Descriptor slow = child.connect();
  CHECK(eventually([&] { return server.handles().size() == 1; }));
  const std::string much(300'000, 'x');
  for (int i = 0; i < 5; ++i)
    server.handles().front().post([&](Connection& connection) { connection.write_all(much); });
  server.handles().front().post([](Connection& /*connection*/) { return Next::close; });
  CHECK(receive_all(slow, 5 * much.size()).size() == 5 * much.size());
  CHECK(receive(slow).empty());
  served.leave();
  CHECK(child.failed == 0);
}

TEST_CASE("functions that are posted run one after another, in their order, whoever posts them") {
  const unsigned threads = four_threads_or_one();
  constexpr unsigned posters = 4, each = 2000;
  FakeChild child({.threads = threads, .connections = 10});
  LoopThreads loop(child, answer);
  unsigned called = 0;  // two at once would be a race
  std::array<unsigned, posters> next{};
  bool in_order = true;
  std::promise<void> done;
  std::vector<std::thread> others;
  for (unsigned i = 0; i < posters; ++i)
    others.emplace_back([&, i] {
      for (unsigned j = 0; j < each; ++j)
        loop.tasks.post([&, i, j] {
          in_order = in_order && next.at(i)++ == j;
          if (++called == posters * each) done.set_value();
        });
    });
  const Descriptor socket = child.connect();
  for (int i = 0; i < 50; ++i) {
    send(socket, "hello\n");
    CHECK(receive(socket) == "hello\n");
  }
  for (auto& other : others) other.join();
  CHECK(done.get_future().wait_for(20s) == std::future_status::ready);
  child.tell_to_leave();
  loop.join();
  CHECK(called == posters * each);
  CHECK(in_order);
}

TEST_CASE("a function that posts itself without end, or throws, leaves connections their turn") {
  FakeChild child({.threads = 1, .connections = 10});
  LoopThreads loop(child, answer);
  std::function<void()> again = [&] {
    loop.tasks.post(again);
    throw std::runtime_error("as told");
  };
  loop.tasks.post(again);
  const Descriptor socket = child.connect();
  for (int i = 0; i < 50; ++i) {
    send(socket, "hello\n");
    CHECK(receive(socket) == "hello\n");
  }
  child.tell_to_leave();
  loop.join();
  CHECK(loop.failed == 0);
}

TEST_CASE("more functions than a loop may keep are refused, and those that it took are all called") {
  FakeChild child({.threads = 1, .connections = 10});
  LoopThreads loop(child, answer);
  std::promise<void> begun, release;
  loop.tasks.post([&] {
    begun.set_value();
    release.get_future().wait();
  });
  begun.get_future().wait();
  std::size_t taken = 0, called = 0;
  const auto owned = std::make_shared<int>();
  while (taken <= EventServer::most_posted && loop.tasks.post([&called, owned] { ++called; })) ++taken;
  CHECK(taken == EventServer::most_posted);
  CHECK_FALSE(loop.tasks.post([owned] {}));
  CHECK_FALSE(loop.tasks.post(0, [owned](Connection& /*connection*/, Next next) { return next; }));
  CHECK(owned.use_count() == static_cast<long>(1 + taken));
  release.set_value();
  const Descriptor socket = child.connect();
  CHECK(eventually([&] { return loop.tasks.post([] {}); }));
  std::promise<std::size_t> at_end;
  CHECK(eventually([&] { return loop.tasks.post([&] { at_end.set_value(called); }); }));
  CHECK(at_end.get_future().get() == taken);
  send(socket, "hello\n");
  CHECK(receive(socket) == "hello\n");
  child.tell_to_leave();
  loop.join();
  CHECK(owned.use_count() == 1);
}

TEST_CASE("handlers that post many functions don't post faster than these are called") {
  FakeChild child({.threads = 1, .connections = 30});
  LoopTasks* tasks = nullptr;
  std::atomic<std::size_t> waiting = 0, most = 0;
  std::atomic<bool> all_taken = true;
  const auto post_many = [&](Connection& connection, Reactor::Call call) {
    for (int i = 0; i < 1000; ++i) {
      ++waiting;
      all_taken = tasks->post([&] { --waiting; }) && all_taken;
    }
    most = std::max(most.load(), waiting.load());
    return answer(connection, call);
  };
  LoopThreads loop(child, post_many);
  tasks = &loop.tasks;
  std::vector<Descriptor> sockets;
  while (sockets.size() < 20) sockets.push_back(child.connect());
  for (int i = 0; i < 50; ++i) {
    for (const Descriptor& socket : sockets) send(socket, "hello\n");
    for (const Descriptor& socket : sockets) CHECK(receive(socket) == "hello\n");
  }
  child.tell_to_leave();
  loop.join();
  CHECK(all_taken);
  CHECK(most < 50'000);
}

TEST_CASE("what is posted after the end of the loop is dropped, and what waits is destroyed with it") {
  LoopTasks tasks;
  const auto owned = std::make_shared<int>();
  CHECK_THROWS_AS(tasks.post([owned] {}), Error);  // this is no child
  CHECK_THROWS_AS(tasks.call_at(Clock::now(), 0s, [owned] {}), Error);
  CHECK_THROWS_AS(tasks.watch(0, [owned] {}), Error);
  {
    FakeChild child({.threads = 1, .connections = 10});
    const Reactor reactor(child, answer, tasks);
    tasks.post([owned] {});
    tasks.call_at(Clock::now(), 1s, [owned] {});
    CHECK(owned.use_count() == 3);
  }
  CHECK(owned.use_count() == 1);
  tasks.post([owned] {});
  CHECK(tasks.call_at(Clock::now(), 1s, [owned] {}) == 0);
  tasks.watch(0, [owned] {});
  tasks.cancel(1);
  tasks.unwatch(0);
  CHECK(owned.use_count() == 1);
}

TEST_CASE("timers of a child run once or again and again, until they are cancelled, by themselves too") {
  FakeChild child({.threads = four_threads_or_one(), .connections = 10});
  LoopThreads loop(child, answer);
  std::promise<void> three_times, over;
  std::atomic<unsigned> once = 0, cancelled = 0, repeated = 0;
  const auto begin = Clock::now();
  loop.tasks.call_at(begin + 1ms, 0s, [&] { ++once; });
  loop.tasks.cancel(loop.tasks.call_at(begin + 20ms, 0s, [&] { ++cancelled; }));
  std::atomic<TimerId> repeats = 0;
  repeats = loop.tasks.call_at(begin + 5ms, 5ms, [&] {
    if (++repeated < 3 || repeats == 0) return;
    loop.tasks.cancel(repeats);
    if (repeated == 3) three_times.set_value();
  });
  CHECK(three_times.get_future().wait_for(20s) == std::future_status::ready);
  loop.tasks.call_at(Clock::now() + 30ms, 0s, [&] { over.set_value(); });
  CHECK(over.get_future().wait_for(20s) == std::future_status::ready);
  CHECK(Clock::now() - begin >= 45ms);
  child.tell_to_leave();
  loop.join();
  CHECK(once == 1);
  CHECK(cancelled == 0);
  CHECK(repeated == 3);
}

TEST_CASE("a descriptor is watched until unwatch(), and its function never runs twice at once") {
  const unsigned threads = four_threads_or_one();
  const test::Pipe pipe;
  const Descriptor &input = pipe.reader, &output = pipe.writer;
  FakeChild child({.threads = threads, .connections = 10});
  LoopThreads loop(child, answer);
  std::string received;  // two at once would be a race
  std::promise<void> all, unwatched;
  std::atomic<unsigned> calls = 0;
  loop.tasks.watch(input.get(), [&] {
    ++calls;
    char letter = 0;
    if (::read(input.get(), &letter, 1) == 1) received += letter;
    if (received == "all of it") all.set_value();
    if (letter == '.') {
      loop.tasks.unwatch(input.get());
      unwatched.set_value();
    }
  });
  CHECK_THROWS_AS(loop.tasks.watch(input.get(), [] {}), SystemError);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK_THROWS_AS(loop.tasks.watch(nothing, [] {}), SystemError);  // epoll takes no such file
  ::close(nothing);
  const auto put = [&](std::string_view data) {
    CHECK(::write(output.get(), data.data(), data.size()) == static_cast<ssize_t>(data.size()));
  };
  put("all ");
  put("of it");
  CHECK(all.get_future().wait_for(20s) == std::future_status::ready);
  put(".and more");
  CHECK(unwatched.get_future().wait_for(20s) == std::future_status::ready);
  const Descriptor socket = child.connect();
  send(socket, "close\n");
  CHECK(receive(socket) == "close\n");
  child.tell_to_leave();
  loop.join();
  CHECK(received == "all of it.");
  CHECK(calls == received.size());
}

TEST_CASE("a connection that can't be watched ends alone") {
  FakeChild child({.threads = 2, .connections = 10});
  LoopThreads loop(child, answer);
  const Descriptor broken = child.connect();
  send(broken, "break\n");
  CHECK(receive(broken).empty());
  const Descriptor good = child.connect();
  send(good, "close\n");
  CHECK(receive(good) == "close\n");
  child.tell_to_leave();
  loop.join();
  CHECK(loop.failed == 0);
  CHECK(child.failed == 1);
  CHECK(child.served == 1);
}

TEST_CASE("an exception out of the loop of one thread ends that of all") {
  FakeChild child({.threads = 4, .connections = 10});
  LoopThreads loop(child, answer);
  const Descriptor held = child.connect();
  send(held, "hello\n");
  CHECK(receive(held) == "hello\n");
  child.break_accept();
  loop.join();
  CHECK(loop.failed >= 1);
}

TEST_CASE("a connection that lingers hides no other one from connection-timeout") {
  FakeChild child({.threads = 1, .connections = 10, .connection_timeout = 300ms});
  LoopThreads loop(child, answer);
  const Descriptor lingering = child.connect(), old = child.connect();
  send(lingering, "close\nand what is not read");
  CHECK(receive(lingering) == "close\n");
  const auto begin = std::chrono::steady_clock::now();
  send(old, "hello\n");
  CHECK(receive(old) == "hello\n");
  CHECK(receive(old).empty());
  CHECK(std::chrono::steady_clock::now() - begin < Connection::linger_time);
  child.tell_to_leave();
  loop.join();
}
