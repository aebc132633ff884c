// SPDX-License-Identifier: MIT
#include "base/text/help_text.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstdlib>

#include "brood/descriptor.hpp"

using namespace brood;

TEST_CASE("the width of a terminal is that of COLUMNS, or what it says, and at least 40") {
  ::unsetenv("COLUMNS");
  const Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  CHECK(terminal_width(file.get()) == 80);
  const Descriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  CHECK(terminal_width(terminal.get()) == 80);  // it does not know
  const struct {
    unsigned short of_terminal;
    const char* columns;
    std::size_t width;
  } rows[] = {{132, nullptr, 132}, {20, nullptr, 40}, {132, "60", 60},  {132, "1", 40},   {132, "0", 132},
              {132, "x", 132},     {132, "", 132},    {132, "-5", 132}, {132, "500", 500}};
  for (const auto& row : rows) {
    const winsize size{.ws_row = 24, .ws_col = row.of_terminal, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::ioctl(terminal.get(), TIOCSWINSZ, &size) == 0);
    if (row.columns != nullptr) ::setenv("COLUMNS", row.columns, 1);
    CHECK(terminal_width(terminal.get()) == row.width);
    ::unsetenv("COLUMNS");
  }
}

TEST_CASE("lines are as long as the width allows, and longer only for a word") {
  std::string out;
  append_wrapped(out, "one two three four-five-six-seven", 13, "# ");
  CHECK(out == "# one two\n# three\n# four-five-six-seven\n");
  out.clear();
  append_wrapped(out, "one two three", 13, "");
  CHECK(out == "one two three\n");
}

TEST_CASE("what something is stands beside its name, or below it") {
  std::string out;
  append_entry(out, "list", "list the services", 10, 80);
  append_entry(out, "a-long-name", "its help", 10, 80);
  CHECK(out == "  list    list the services\n  a-long-name\n          its help\n");
  out.clear();
  append_entry(out, "list", "list the services", 10, 49);  // there is no room
  CHECK(out == "  list\n      list the services\n");
}
