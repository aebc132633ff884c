// SPDX-License-Identifier: MIT
// process-titles: ps shows what a child does.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "commanded.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

std::vector<std::string> with_titles(unsigned children) {
  auto settings = pool(children);
  settings.emplace_back("--process-titles=yes");
  return settings;
}

// As ps shows it: without what is behind it.
std::string title_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/cmdline", std::ios::binary);
  const std::string all(std::istreambuf_iterator<char>(file), {});
  const std::string title = all.substr(0, all.find('\0'));
  CHECK(all.find_first_not_of('\0', title.size()) == std::string::npos);
  return title;
}

bool shows(const std::string& pid, const std::string& title) {
  const bool is_shown = eventually([&] { return title_of(pid) == title; });
  if (!is_shown) MESSAGE("process " << pid << " shows: " << title_of(pid));
  return is_shown;
}

std::string command_line_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the title of a child says whether it is idle, and what it does if not") {
  ServerProcess server(with_titles(1));
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(shows(child, "brood-test-server: busy"));
  CHECK(client.ask("note GET /a/long/path") == "noted");
  CHECK(shows(child, "brood-test-server: busy GET /a/long/path"));
  CHECK(client.ask("note GET /") == "noted");
  CHECK(shows(child, "brood-test-server: busy GET /"));
  CHECK(client.ask("note " + std::string(100, 'x')) == "noted");
  CHECK(shows(child, "brood-test-server: busy " + std::string(note_size, 'x')));
  client.close();
  CHECK(shows(child, "brood-test-server: idle"));
  CHECK(command_line_of(server.pid()).find(std::string("--process-titles=yes") + '\0') != std::string::npos);
}

TEST_CASE("the title of a child with many connections says how many") {
  ServerProcess server(with_titles(1), {.program = "brood-event-test-server"});
  Client first = server.connect();
  const std::string child = first.ask("pid");
  Client second = server.connect();
  second.ask("pid");
  CHECK(shows(child, "brood-event-test-server: busy (2)"));
  first.close();
  CHECK(shows(child, "brood-event-test-server: busy"));
  second.close();
  CHECK(shows(child, "brood-event-test-server: idle"));
}

TEST_CASE("a child with a title has its environment, and so do the programs that it starts") {
  ServerProcess server(with_titles(1), {.in_process = [] { ::setenv("TITLE_TEST", "is here", 1); }});
  Client client = server.connect();
  CHECK(shows(client.ask("pid"), "brood-test-server: busy"));
  CHECK(client.ask("env TITLE_TEST") == "is here");
  CHECK(!client.ask("env PATH").empty());
}

TEST_CASE("without process-titles children have the command line of their parent") {
  ServerProcess server(pool(1));
  const pid_t child = server.connect().child();
  CHECK(command_line_of(child) == command_line_of(server.pid()));
}

TEST_CASE("a program of the kit that takes a slot has a title as well") {
  ServerProcess server(runs(program_path("brood-test-server"), "slot", with_titles(1)), host());
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(client.ask("note GET /") == "noted");
  CHECK(shows(child, "brood-command-host: busy GET /"));
}
