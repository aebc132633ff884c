// SPDX-License-Identifier: MIT
// A connection in an event loop: nothing waits, and output that the peer does not take is kept in order. And
// files.
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "brood/error.hpp"
#include "connection_pair.hpp"

using namespace std::chrono_literals;
using brood::Connection;
using brood::Descriptor;
using brood::test::numbered;
using brood::test::Pair;

namespace {

Descriptor file_of(const std::string& content) {
  Descriptor file(::memfd_create("file", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return file;
}

}  // namespace

TEST_CASE("try_read tells nothing now, something, and the end apart") {
  bool blocks = false;
  SUBCASE("a socket that doesn't block") {}
  SUBCASE("a socket that blocks") { blocks = true; }
  Pair pair(blocks);
  std::array<char, 4> buffer{};
  CHECK_FALSE(pair.connection.try_read(buffer).has_value());
  CHECK_FALSE(pair.connection.ended());
  pair.say("hello");
  CHECK(pair.connection.try_read(buffer) == 4);
  CHECK(pair.connection.try_read(buffer) == 1);
  CHECK_FALSE(pair.connection.try_read(buffer).has_value());
  pair.peer.reset();
  CHECK(pair.connection.try_read(buffer) == 0);
  CHECK(pair.connection.ended());
  CHECK(pair.connection.bytes_read() == 5);
}

TEST_CASE("try_line: pieces, several in one, the last without an end, and then the end") {
  Pair pair;
  CHECK_FALSE(pair.connection.try_line().has_value());
  pair.say("on");
  CHECK_FALSE(pair.connection.try_line().has_value());
  pair.say("e\r\ntwo\n\nth");
  CHECK(pair.connection.try_line() == "one");
  CHECK(pair.connection.try_line() == "two");
  CHECK(pair.connection.try_line() == "");
  CHECK_FALSE(pair.connection.try_line().has_value());
  std::array<char, 1> first{};
  CHECK(pair.connection.try_read(first) == 1);  // behind the lines
  CHECK(first[0] == 't');
  pair.say("ird");
  ::shutdown(pair.peer.get(), SHUT_WR);
  CHECK(pair.connection.try_line() == "hird");
  CHECK(pair.connection.ended());
  CHECK_FALSE(pair.connection.try_line().has_value());
}

TEST_CASE("try_line refuses a line that is too long, and its rest is skipped as it comes") {
  Pair pair;
  pair.say(std::string(101, 'x'));
  CHECK_THROWS_AS(pair.connection.try_line(100), brood::TooLongError);
  pair.connection.skip();
  for (int i = 0; i < 10; ++i) {
    pair.say(std::string(5000, 'x'));
    CHECK_FALSE(pair.connection.try_line(100).has_value());
  }
  pair.say("\nnext\n");
  CHECK(pair.connection.try_line(100) == "next");
  pair.say(std::string(101, 'x'));
  CHECK_THROWS_AS(pair.connection.try_line(100), brood::TooLongError);
  pair.connection.skip();
  pair.peer.reset();
  CHECK_FALSE(pair.connection.try_line(100).has_value());
  CHECK(pair.connection.ended());
}

TEST_CASE("shutdown_write() tells the peer the end behind all that was written") {
  Pair pair;
  const std::string large = numbered(3'000'000);
  pair.connection.write_all(large);
  REQUIRE(pair.connection.has_output());
  pair.connection.shutdown_write();
  CHECK_THROWS_AS(pair.connection.write_all("more"), brood::ConnectionError);
  CHECK(pair.hear_all() == large);
  char byte = 0;
  CHECK(::recv(pair.peer.get(), &byte, 1, MSG_DONTWAIT) == 0);
  pair.say("still heard\n");
  CHECK(pair.connection.read_line() == "still heard");
}

TEST_CASE("read_line waits, also on a socket that doesn't block, and gives up after its timeout") {
  Pair pair;
  std::thread late([&] {
    ::poll(nullptr, 0, 20);
    pair.say("late\n");
  });
  CHECK(pair.connection.read_line() == "late");
  late.join();
  pair.connection.set_timeouts(20ms, 20ms);
  CHECK_THROWS_AS(pair.connection.read_line(), brood::SystemError);
}

TEST_CASE("what the peer doesn't take is kept, and sent in order") {
  Pair pair;
  const std::string large = numbered(3'000'000);
  pair.connection.write_all(large);
  CHECK(pair.connection.has_output());
  CHECK_FALSE(pair.connection.flush());
  pair.connection.write_all("then ");
  pair.connection.send_file(file_of("0123456789"), 2, 5);
  pair.connection.write_all(" and the end");
  const std::string heard = pair.hear_all();
  CHECK(heard.size() == large.size() + 22);
  CHECK(heard == large + "then 23456 and the end");
  CHECK_FALSE(pair.connection.has_output());
  CHECK(pair.connection.bytes_written() == heard.size());
  pair.connection.write_all("directly");
  CHECK_FALSE(pair.connection.has_output());
  CHECK(pair.hear() == "directly");
}

TEST_CASE("while something is to be sent nothing is read, so that a loop of answers has an end") {
  Pair pair;
  pair.connection.write_all(std::string(3'000'000, 'x'));
  REQUIRE(pair.connection.has_output());
  pair.say("a question\n");
  std::array<char, 16> buffer{};
  CHECK_FALSE(pair.connection.try_line().has_value());
  CHECK_FALSE(pair.connection.try_read(buffer).has_value());
  CHECK_FALSE(pair.connection.ended());
  pair.hear_all();
  CHECK(pair.connection.try_line() == "a question");
}

TEST_CASE("limit_input: no more is read until the limit is set again") {
  Pair pair;
  pair.say("one\ntwo\n" + std::string(9000, 'x') + "\nlast\n");
  pair.connection.limit_input(4);
  CHECK(pair.connection.try_line(10'000) == "one");
  CHECK(pair.connection.try_line(10'000) == "two");  // was read with it
  CHECK_FALSE(pair.connection.try_line(10'000).has_value());
  std::array<char, 8> buffer{};
  CHECK(pair.connection.try_read(buffer) == 8);  // this, too
  while (pair.connection.try_read(buffer)) {
  }
  CHECK(pair.connection.bytes_read() == 4096);
  pair.connection.limit_input(100'000);
  CHECK(pair.connection.try_line(10'000)->size() == 9000 - (4096 - 8));
  CHECK(pair.connection.try_line() == "last");
}

TEST_CASE("a file is sent whole, blocking and not") {
  const std::string content = numbered(3'000'000);
  SUBCASE("not blocking") {
    Pair pair;
    pair.connection.send_file(file_of(content), 0, content.size());
    CHECK(pair.connection.has_output());
    CHECK(pair.hear_all() == content);
    CHECK(pair.connection.bytes_written() == content.size());
  }
  SUBCASE("blocking") {
    Pair pair(true);
    std::string heard;
    std::thread reader([&] {
      while (heard.size() < content.size()) heard += pair.hear();
    });
    pair.connection.send_file(file_of(content), 0, content.size());
    reader.join();
    CHECK(heard == content);
    CHECK_FALSE(pair.connection.has_output());
  }
}

TEST_CASE("a file that has become shorter is an error, at once or when its turn comes") {
  Pair pair;
  CHECK_THROWS_AS(pair.connection.send_file(file_of("short"), 0, 6), brood::Error);
  Pair later;
  Descriptor file = file_of(numbered(3'000'000));
  const int descriptor = file.get();
  later.connection.send_file(std::move(file), 0, 3'000'000);
  REQUIRE(later.connection.has_output());
  REQUIRE(::ftruncate(descriptor, 1000) == 0);
  CHECK_THROWS_AS(later.hear_all(), brood::Error);
}

TEST_CASE("a peer that is gone ends the writing with an error") {
  Pair pair;
  pair.connection.write_all(std::string(3'000'000, 'x'));
  pair.peer.reset();
  CHECK_THROWS_AS(pair.connection.flush(), brood::SystemError);
}

TEST_CASE("the end in steps: half_close, drop_input, close") {
  Pair pair;
  pair.say("unread");
  CHECK(pair.connection.half_close());
  CHECK_FALSE(pair.connection.half_close());  // asked once
  CHECK_FALSE(pair.connection.drop_input());
  pair.say(std::string(100'000, 'z'));
  CHECK_FALSE(pair.connection.drop_input());
  pair.peer.reset();
  while (!pair.connection.drop_input()) {
  }
}

TEST_CASE("after half_close() close() does not wait for input that comes later") {
  Pair pair;
  CHECK_FALSE(pair.connection.half_close());  // nothing is there to be read
  pair.say("late");
  const auto begin = std::chrono::steady_clock::now();
  pair.connection.close();
  CHECK(std::chrono::steady_clock::now() - begin < Connection::linger_time / 2);
}

TEST_CASE("a connection keeps what its handler gives it, wherever it is moved, and no longer") {
  struct State {
    int number = 0;
    std::shared_ptr<int> witness;
  };
  const auto witness = std::make_shared<int>(1);
  {
    Pair pair;
    pair.connection.state<State>().number = 42;
    CHECK_THROWS_AS(pair.connection.state<int>(), brood::Error);
    pair.connection.state<State>().witness = witness;
    Connection moved(std::move(pair.connection));
    CHECK(moved.state<State>().number == 42);
    CHECK(moved.id() == 7);
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
}
