// SPDX-License-Identifier: MIT
#include "base/service/service_command.hpp"

#include <doctest/doctest.h>

#include "brood/error.hpp"

using namespace brood;

TEST_CASE("a command is split as by a shell, and nothing is expanded") {
  using Words = std::vector<std::string>;
  CHECK(parse_command("/bin/sh") == Words{"/bin/sh"});
  CHECK(parse_command("  /bin/sh\t-c   x ") == Words{"/bin/sh", "-c", "x"});
  CHECK(parse_command(R"(/bin/sh 'a b' "c 'd" e\ f)") == Words{"/bin/sh", "a b", "c 'd", "e f"});
  CHECK(parse_command(R"(/bin/sh '' "" x'y'"z")") == Words{"/bin/sh", "", "", "xyz"});
  CHECK(parse_command(R"(/bin/sh '\' "\"" \\)") == Words{"/bin/sh", "\\", "\"", "\\"});
  CHECK(parse_command("/bin/sh $HOME *;") == Words{"/bin/sh", "$HOME", "*;"});
}

TEST_CASE("a command without a program is refused") {
  for (const char* wrong : {"", "  ", "sh", "''", "/bin/sh '", "/bin/sh \"x", "/bin/sh \\"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(parse_command(wrong), ConfigurationError);
  }
}

TEST_CASE("a file that cannot be executed is refused") {
  CHECK_NOTHROW(check_executable("/bin/sh"));
  for (const char* wrong : {"/bin", "/etc/passwd", "/nonexistent"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(check_executable(wrong), ConfigurationError);
  }
}
