// SPDX-License-Identifier: MIT
#include "child/connection/input_buffer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "brood/error.hpp"

using namespace std::string_literals;
using brood::a_frame;
using brood::a_line;
using brood::all_before;
using brood::exactly;
using brood::Found;
using brood::InputBuffer;
using brood::Wanted;

namespace {

// What comes of an input that arrives in parts of this size, and then ends. "!": too long, and skipped;
// "?": cut off.
std::vector<std::string> pieces(const Wanted& wanted, std::string_view input, std::size_t part) {
  InputBuffer buffer;
  std::vector<std::string> all;
  for (;;) {
    Wanted next = wanted;
    for (;;) {
      const bool ended = input.empty();
      Found found = buffer.take(next, ended);
      if (found.piece || found.problem != Found::Problem::none || ended) {
        if (found.piece) all.push_back(*found.piece);
        if (found.problem == Found::Problem::too_long) {
          all.emplace_back("!");
          buffer.skip();
        }
        if (found.problem == Found::Problem::cut_off) all.emplace_back("?");
        if (found.problem == Found::Problem::cut_off || (ended && buffer.empty())) return all;
        break;
      }
      buffer.append(input.substr(0, part));
      input.remove_prefix(std::min(part, input.size()));
    }
  }
}

}  // namespace

TEST_CASE("pieces come whole, in whatever parts their input arrives; what is too long is skipped") {
  struct {
    Wanted wanted;
    std::string input;
    std::vector<std::string> expected;
  } const rows[] = {
      {a_line(8), "", {}},
      {a_line(8), "one\r\ntwo\n\nthree", {"one", "two", "", "three"}},
      {a_line(8), "12345678\r\n12345678\nx", {"12345678", "12345678", "x"}},
      {a_line(8), "12345678\r", {"12345678"}},
      {a_line(8), "123456789\nx\n", {"!", "x"}},
      {a_line(8), "12345678\r\r\nx\n", {"!", "x"}},
      {a_line(8), "123456789", {"!"}},
      {a_line(0), "\r\n\nx\n", {"", "", "!"}},
      {a_line(8), std::string(1000, 'x') + "\n" + std::string(1000, 'y') + "\nz\n", {"!", "!", "z"}},
      {all_before("\r\n\r\n", 8), "a\r\nb\r\n\r\nc\r\n\r\n", {"a\r\nb", "c"}},
      {all_before("\r\n\r\n", 8), "12345678\r\n\r\n1\r\n", {"12345678", "?"}},
      {all_before("\r\n\r\n", 8), "123456789\r\n\r\nx\r\n\r\n", {"!", "x"}},
      {all_before("\r\n\r\n", 8), "123456789012\r\n\r\r\n\r\nx\r\n\r\n", {"!", "x"}},
      {all_before("aab", 3), "aaab", {"a"}},
      {all_before(";", 3), ";;abc;", {"", "", "abc"}},
      {exactly(3), "abcdef", {"abc", "def"}},
      {exactly(3), "abcde", {"abc", "?"}},
      {a_frame(1, 3), "\0\1a\3abc"s, {"", "a", "abc"}},
      {a_frame(2, 3), "\0\1a\0\4abcd\0\1b"s, {"a", "!", "b"}},
      {a_frame(4, 3), "\0\0\0\3abc\0\0"s, {"abc", "?"}},
      {a_frame(4, 300), "\0\0\1\0"s + std::string(256, 'x'), {std::string(256, 'x')}},
      {a_frame(4, 3), "\xff\xff\xff\xff and so on"s, {"!"}},
  };
  for (const auto& row : rows)
    for (const std::size_t part : {1U, 2U, 3U, 7U, 5000U}) {
      CAPTURE(row.input);
      CAPTURE(part);
      CHECK(pieces(row.wanted, row.input, part) == row.expected);
    }
}

TEST_CASE("so many bytes may be none") {
  InputBuffer buffer;
  Wanted none = exactly(0);
  CHECK(buffer.take(none, false).piece == "");
}

TEST_CASE("a delimiter is not empty") { CHECK_THROWS_AS(all_before("", 8), brood::Error); }

TEST_CASE("what is skipped is not kept, and what is behind it is") {
  InputBuffer buffer;
  buffer.append("too long");
  Wanted wanted = all_before("--", 4);
  REQUIRE(buffer.take(wanted, false).problem == Found::Problem::too_long);
  buffer.skip();
  for (int i = 0; i < 1000; ++i) {
    buffer.append("0123456789-");
    CHECK(buffer.unread().size() <= 1);
    CHECK(buffer.empty());
  }
  buffer.append("-rest");
  CHECK(buffer.unread() == "rest");
}

TEST_CASE("nothing is skipped unless the last piece was too long") {
  InputBuffer buffer;
  buffer.append("abc\ndef\n");
  buffer.skip();
  Wanted wanted = a_line(2);
  REQUIRE(buffer.take(wanted, false).problem == Found::Problem::too_long);
  SUBCASE("it was taken in another way") {
    char some[2];
    CHECK(buffer.read(some) == 2);
    buffer.skip();
    CHECK(buffer.unread() == "c\ndef\n");
  }
  SUBCASE("it is still there") { CHECK(buffer.unread() == "abc\ndef\n"); }
  SUBCASE("skipped once") {
    buffer.skip();
    buffer.skip();
    CHECK(buffer.unread() == "def\n");
  }
}

TEST_CASE("problems become exceptions by their cause") {
  CHECK_THROWS_WITH_AS(throw_problem(Found::Problem::too_long, a_line(8), "peer"),
                       "a line from peer is longer than 8 bytes", brood::TooLongError);
  CHECK_THROWS_AS(throw_problem(Found::Problem::cut_off, a_frame(2, 8), "peer"), brood::ConnectionError);
}
