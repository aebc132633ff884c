// SPDX-License-Identifier: MIT
#include "base/process/process_title.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

using namespace brood;

namespace {

std::string busy(unsigned connections, std::string_view note, std::size_t room = 40) {
  std::array<char, 40> memory{};
  const std::size_t size = write_busy(std::span(memory).first(room), connections, note);
  CHECK(std::ranges::all_of(std::span(memory).subspan(size), [](char byte) { return byte == '\0'; }));
  return {memory.data(), size};
}

}  // namespace

TEST_CASE("the title of a busy process has its connections and the note of the oldest") {
  using namespace std::string_view_literals;
  CHECK(busy(1, "") == "busy");
  CHECK(busy(1, "GET /") == "busy GET /");
  CHECK(busy(1, "GET /\0\0old"sv) == "busy GET /");
  CHECK(busy(3, "") == "busy (3)");
  CHECK(busy(100000, "x") == "busy (100000) x");
}

TEST_CASE("a title is cut where its memory ends") {
  CHECK(busy(1, "GET /index.html", 10) == "busy GET /");
  CHECK(busy(1, "GET /", 3) == "bus");
  CHECK(busy(7, "GET /", 5) == "busy ");
  CHECK(busy(1, "x", 0).empty());
}

TEST_CASE("without memory of its own a process shows no title") {
  std::string argument = "argument";
  std::array<char*, 2> arguments = {argument.data(), nullptr};
  process_title::find_memory(arguments.data());
  process_title::begin("echo", "idle");
  CHECK(!process_title::shown);
  process_title::show("idle");
  process_title::show_busy(1, "GET /");
  CHECK(argument == "argument");
}
