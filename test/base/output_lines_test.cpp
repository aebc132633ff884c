// SPDX-License-Identifier: MIT
#include "base/log/output_lines.hpp"

#include <doctest/doctest.h>

using namespace brood;
using namespace std::chrono_literals;

namespace {

struct Logged {
  std::vector<std::string> lines;
  OutputLines::Sink sink = [this](pid_t writer, std::string_view line) {
    lines.push_back(std::to_string(writer) + " " + std::string(line));
  };
};
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("pieces of several writers become their lines") {
  OutputLines output;
  Logged logged;
  output.add(1, "one, ", Time{}, logged.sink);
  output.add(2, "a\nb\n\nc", Time{}, logged.sink);
  output.add(1, "two\n", Time{}, logged.sink);
  CHECK(logged.lines == Lines{"2 a", "2 b", "1 one, two"});
  output.ended(1, logged.sink);
  output.ended(2, logged.sink);
  output.ended(2, logged.sink);
  CHECK(logged.lines == Lines{"2 a", "2 b", "1 one, two", "2 c"});
}

TEST_CASE("a line that is too long is cut and says by how much") {
  OutputLines output;
  Logged logged;
  const std::string most(OutputLines::longest_line, 'x');
  output.add(1, most + "12", Time{}, logged.sink);
  output.add(1, "345\n" + most + "\n", Time{}, logged.sink);
  CHECK(logged.lines == Lines{"1 " + most + " ... (5 bytes more)", "1 " + most});
}

TEST_CASE("a line without an end is taken after a second") {
  OutputLines output;
  Logged logged;
  CHECK(output.look(Time{}, logged.sink) == never);
  output.add(1, "$ ", Time{}, logged.sink);
  output.add(2, "# ", Time{} + 500ms, logged.sink);
  CHECK(output.look(Time{} + 999ms, logged.sink) == Time{} + 1s);
  CHECK(logged.lines.empty());
  CHECK(output.look(Time{} + 1s, logged.sink) == Time{} + 1500ms);
  CHECK(logged.lines == Lines{"1 $ "});
}

TEST_CASE("only so many writers are waited for at once") {
  OutputLines output;
  Logged logged;
  for (pid_t writer = 1; writer <= static_cast<pid_t>(OutputLines::most_parts); ++writer)
    output.add(writer, "x", Time{}, logged.sink);
  CHECK(logged.lines.empty());
  output.add(1000, "y", Time{}, logged.sink);
  CHECK(logged.lines == Lines{"1 x"});
  CHECK(output.parts().size() == OutputLines::most_parts);
}
