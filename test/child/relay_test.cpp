// SPDX-License-Identifier: MIT
// A relay: both directions, half-closes, limits, and descriptors that can't be spliced.
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include "brood/error.hpp"
#include "connection_pair.hpp"

using namespace std::chrono_literals;
using brood::Connection;
using brood::Descriptor;
using brood::test::numbered;
using brood::test::Pair;

namespace {

void send_all(const Descriptor& to, std::string_view data) {
  while (!data.empty()) {
    const ssize_t size = ::send(to.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    data.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string receive(const Descriptor& from, std::size_t size) {
  std::string all(size, '\0');
  const ssize_t got = size == 0 ? 0 : ::recv(from.get(), all.data(), size, MSG_WAITALL);
  all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return all;
}

std::string receive_all(const Descriptor& from) {
  std::string all;
  for (std::string some; !(some = receive(from, 65'536)).empty();) all += some;
  return all;
}

// A client's connection, and a second socket with what is behind it.
struct Relayed {
  explicit Relayed(bool blocks = true) : client(blocks) {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    other.reset(ends[0]);
    behind.reset(ends[1]);
  }
  std::thread start() {
    return std::thread([this] {
      try {
        client.connection.relay(other);
        ended = "well";
      } catch (const brood::TimeoutError&) {
        ended = "timeout";
      } catch (const brood::ConnectionError&) {
        ended = "broken";
      }
    });
  }
  Pair client;
  Descriptor other, behind;
  std::string ended;
};

}  // namespace

TEST_CASE("a relay moves both directions at once, and passes each end on by itself") {
  bool blocks = true;
  SUBCASE("a socket that blocks") {}
  SUBCASE("a socket that doesn't block") { blocks = false; }
  Relayed it(blocks);
  const std::string up = numbered(5'000'000), down = "x" + numbered(4'000'000);
  it.client.say("a line\nbefore ");
  CHECK(it.client.connection.read_line() == "a line");  // "before " is in the buffer
  std::thread relay = it.start();
  std::string got_up, got_down;
  std::thread sends_up([&] {
    send_all(it.client.peer, up);
    ::shutdown(it.client.peer.get(), SHUT_WR);
  });
  std::thread reads_up([&] { got_up = receive_all(it.behind); });
  std::thread reads_down([&] { got_down = receive_all(it.client.peer); });
  sends_up.join();
  reads_up.join();  // it has heard the end, and still sends
  send_all(it.behind, down);
  ::shutdown(it.behind.get(), SHUT_WR);
  reads_down.join();
  relay.join();
  CHECK(it.ended == "well");
  CHECK((got_up == "before " + up));
  CHECK((got_down == down));
  CHECK(it.client.connection.ended());
  CHECK(it.client.connection.bytes_read() == 7 + 7 + up.size());
  CHECK(it.client.connection.bytes_written() == down.size());
  CHECK(((::fcntl(it.client.connection.descriptor(), F_GETFL) & O_NONBLOCK) == 0) == blocks);
  CHECK((::fcntl(it.other.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("two connections are relayed, with what was read of each") {
  Pair one(true), two(true);
  one.say("1\nfrom one");
  two.say("2\nfrom two");
  CHECK(one.connection.read_line() == "1");
  CHECK(two.connection.read_line() == "2");
  ::shutdown(one.peer.get(), SHUT_WR);
  ::shutdown(two.peer.get(), SHUT_WR);
  one.connection.relay(two.connection);
  CHECK(receive_all(two.peer) == "from one");
  CHECK(receive_all(one.peer) == "from two");
  CHECK(one.connection.bytes_written() == 8);
  CHECK(two.connection.bytes_written() == 8);
  CHECK(two.connection.bytes_read() == 10);
}

TEST_CASE("a relay ends when nothing moves, at the deadline, and when an end breaks") {
  Relayed it;
  std::optional<std::thread> relay;
  std::string expected = "timeout";
  SUBCASE("nothing moves within the read timeout") {
    it.client.connection.set_timeouts(50ms, 0ms);
    relay = it.start();
  }
  SUBCASE("the deadline") {
    it.client.connection.set_deadline(50ms);
    relay = it.start();
  }
  SUBCASE("the client is gone, and there is more for it") {
    relay = it.start();
    it.client.peer.reset();
    CHECK(receive_all(it.behind).empty());
    send_all(it.behind, "more");
    expected = "well or broken";
  }
  SUBCASE("the other end is closed, and all of it was passed on") {
    relay = it.start();
    send_all(it.behind, "last");
    it.behind.reset();
    CHECK(receive_all(it.client.peer) == "last");
    expected = "well";
  }
  relay->join();
  CHECK(expected.find(it.ended) != std::string::npos);
  CHECK_FALSE(it.ended.empty());
}

TEST_CASE("what can't be spliced is copied") {
  Relayed it;
  const Descriptor file(::memfd_create("appended", MFD_CLOEXEC));
  ::fcntl(file.get(), F_SETFL, O_APPEND);  // splice(2) refuses it
  const std::string content = numbered(300'000);
  std::thread sends([&] {
    send_all(it.client.peer, content);
    ::shutdown(it.client.peer.get(), SHUT_WR);
  });
  it.client.connection.relay(file);
  sends.join();
  std::string written(content.size() + 1, '\0');
  written.resize(static_cast<std::size_t>(::pread(file.get(), written.data(), written.size(), 0)));
  CHECK((written == content));
}
