// SPDX-License-Identifier: MIT
// The event loop over a fake child, with threads on both sides: the thread sanitizer finds races here.
#include "models/reactor.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log_target.hpp"
#include "brood/error.hpp"

using namespace brood;
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
    Connection connection(std::move(queue_.front()),
                          {.peer = peer, .listener = "", .host = *this, .id = id, .blocks = false});
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
  bool leaving() const override { return leaving_; }
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
  LoopThreads(FakeChild& child, Reactor::Handler handler) : reactor_(child, std::move(handler)) {
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
  std::atomic<unsigned> failed = 0;

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
void send(const Descriptor& socket, std::string_view data) {
  ::send(socket.get(), data.data(), data.size(), MSG_NOSIGNAL);
}

Next answer(Connection& connection, bool just_accepted) {
  if (just_accepted) return Next::more_input;
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

}  // namespace

TEST_CASE("clients that come and go at random, idle timeouts, and an order to leave") {
  unsigned threads = 4;
  SUBCASE("four threads") {}
  SUBCASE("one thread") { threads = 1; }
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
          const Descriptor socket = child.connect();
          ++connected;
          if (random() % 8 == 0) continue;  // gone at once
          send(socket, "hello\n");
          if (receive(socket) != "hello\n") ++unanswered;
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
  LoopThreads loop(child, [](Connection& connection, bool just_accepted) {
    const Next next = answer(connection, just_accepted);
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
