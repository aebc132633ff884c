// SPDX-License-Identifier: MIT
// broodctl top in real terminals, on real servers.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>

#include "brood_directory.hpp"
#include "broodctl.hpp"
#include "tmux.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool no_tmux() {
  if (Tmux::is_installed()) return false;
  MESSAGE("skipped: tmux is not installed");
  return true;
}

std::vector<std::string> few() { return {"--start-servers=3", "--min-spare-servers=2", "--max-clients=8"}; }

std::string of(const ServerProcess& server) { return server.scoreboard(); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool shows_part(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("top into a pipe, with --once, or on a dumb terminal: one frame, without a control character") {
  ServerProcess server(few());
  Client client = server.connect();
  client.ask("note GET /once");
  for (const char* before : {"", "env TERM=xterm-256color ", "env TERM=dumb "})
    for (const char* option : {"--once ", ""}) {
      const CtlAnswer answer = broodctl("top --interval=50ms " + std::string(option) + of(server), before);
      CHECK(answer.code == 0);
      CHECK(shows_part(first_line(answer.text), "brood-test-server"));
      CHECK(answer.says("busy"));
      CHECK(answer.says("GET /once"));
      CHECK_FALSE(answer.says("\x1b"));
    }
  CHECK(broodctl("top --once --interval=50ms --color=256 " + of(server)).says("\x1b[0;1;38;5;114m"));
  const CtlAnswer wide =
      broodctl("top --once --interval=50ms " + of(server), "env LC_ALL=C COLUMNS=200 LINES=50 ");
  CHECK(shows_part(wide.text, std::string(90, '.')));
}

TEST_CASE("top: wrong arguments are refused") {
  ServerProcess server(few());
  CHECK(broodctl("top --color=blue " + of(server)).code == 64);
  CHECK(broodctl("top --interval=1 " + of(server)).code == 64);
  CHECK(broodctl("top one two").code == 64);
  CHECK(broodctl("--server=" + of(server) + " top --once nobody").code == 64);
  CHECK(broodctl("status --once " + of(server)).says("--once is an option of top"));
  CHECK(broodctl("--runtime-directory=" + server.directory().path() + " top nobody").code == 64);
}

TEST_CASE("top: keys sort, filter, help and quit, and the terminal is as it was") {
  if (no_tmux()) return;
  ServerProcess server(few());
  Client one = server.connect(), other = server.connect();
  one.ask("note GET /one");
  other.ask("note GET /other");
  const Tmux tmux;
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows("GET /one"));
  CHECK(tmux.shows("W busy 2"));
  CHECK(tmux.flag("alternate_on") == "1");
  CHECK(tmux.flag("cursor_flag") == "0");
  CHECK(shows_part(tmux.screen(), "▁") + shows_part(tmux.screen(), "█") > 0);
  tmux.keys("/ o t h Enter");
  CHECK(tmux.shows("only with oth"));
  CHECK(eventually([&] { return !shows_part(tmux.screen(), "GET /one"); }));
  tmux.keys("Escape");
  CHECK(tmux.shows("GET /one"));
  tmux.keys("'>'");
  CHECK(tmux.shows("TIME*"));
  tmux.keys("h");
  CHECK(tmux.shows("select a line"));
  tmux.keys("q");
  CHECK(tmux.shows("TIME*"));
  tmux.keys("q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: a key shows where in its code the selected child is") {
  if (no_tmux()) return;
  ServerProcess server(few());
  Client client = server.connect();
  const std::string child = client.ask("pid");
  CHECK(client.ask("note GET /slow") == "noted");
  client.send("spin\n");
  const Tmux tmux(100, 30);
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows("GET /slow"));
  CHECK(tmux.shows("s stack"));
  tmux.keys("s");  // the busiest is the first one, which is selected
  REQUIRE(eventually([&] {
    const std::string screen = tmux.screen();
    return shows_part(screen, "any other key: back") || shows_part(screen, "Operation not permitted");
  }));
  if (shows_part(tmux.screen(), "Operation not permitted")) {  // a container may forbid ptrace(2)
    MESSAGE("skipped: this process may not look at others");
  } else {
    CHECK(tmux.shows("child " + child + ", service brood-test-server: "));
    CHECK(tmux.shows("TestServer::spin() at "));
    tmux.keys("b");
    CHECK(tmux.shows("s stack"));
  }
  tmux.keys("q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: another size is drawn at once, also 200 x 50") {
  if (no_tmux()) return;
  ServerProcess server(few());
  const Tmux tmux;
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows("q quit"));
  const auto last_row = [&] {
    const std::string screen = tmux.screen();
    return std::count(screen.begin(), screen.begin() + static_cast<std::ptrdiff_t>(screen.find("q quit")),
                      '\n');
  };
  CHECK(last_row() == 23);
  tmux.resize(200, 50);
  CHECK(eventually([&] { return tmux.shows("q quit") && last_row() == 49; }));
  tmux.resize(60, 15);
  CHECK(eventually([&] { return tmux.shows(" h help") && !shows_part(tmux.screen(), "conn/s "); }));
  tmux.keys("q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: a child is retired after a question, and the answer is shown, and a reload as well") {
  if (no_tmux()) return;
  ServerProcess server(few());
  Client client = server.connect();
  const std::string pid = std::to_string(client.child());
  const Tmux tmux;
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows(pid + " W busy"));
  tmux.keys("x");
  CHECK(tmux.shows("retire child " + pid + "?"));
  tmux.keys("n");
  CHECK(tmux.shows("nothing was ordered"));
  tmux.keys("x y");
  CHECK(tmux.shows(pid + " G leaving"));
  tmux.keys("x");  // the screen goes on
  CHECK(tmux.shows("retire child"));
  tmux.keys("n");
  client.close();
  CHECK(tmux.shows("child " + pid + " of"));
  tmux.keys("R y");
  CHECK(tmux.shows("generation 2, "));
  tmux.keys("q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: whatever ends it, the terminal is as it was") {
  if (no_tmux()) return;
  ServerProcess server(few());
  const Tmux tmux;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGABRT, SIGSEGV}) {
#ifdef __SANITIZE_ADDRESS__
    if (signal == SIGSEGV) continue;  // is the sanitizer's own
#endif
    CAPTURE(signal);
    tmux.type("ulimit -c 0; clear");
    const TopInTmux top(tmux, of(server));
    REQUIRE(tmux.shows("q quit"));
    if (signal == SIGINT)
      tmux.keys("C-c");
    else
      REQUIRE(::kill(top.pid(), signal) == 0);
    const std::string end = top.end();
    CHECK(end == std::to_string(128 + signal));
  }
}

TEST_CASE("top: it is stopped and goes on, with the terminal as it was in between") {
  if (no_tmux()) return;
  ServerProcess server(few());
  const Tmux tmux;
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows("q quit"));
  const pid_t pid = top.pid();
  tmux.keys("C-z");
  REQUIRE(eventually([&] { return process_state(pid) == 'T'; }));
  CHECK(eventually([&] { return tmux.flag("alternate_on") == "0" && tmux.flag("cursor_flag") == "1"; }));
  tmux.type("fg");
  REQUIRE(tmux.shows("q quit"));
  ::kill(pid, SIGSTOP);
  REQUIRE(eventually([&] { return process_state(pid) == 'T'; }));
  REQUIRE(eventually([&] { return tmux.flag("pane_current_command") != "broodctl"; }));
  ::kill(pid, SIGCONT);  // it has no right to the terminal
  CHECK(stays([&] { return tmux.flag("cursor_flag") == "0"; }, 200ms));
  REQUIRE(eventually([&] { return process_state(pid) == 'T'; }));
  tmux.keys("f g C-j");
  CHECK(eventually([&] { return process_state(pid) != 'T'; }));
  tmux.keys("h");
  CHECK(tmux.shows("select a line"));
  tmux.keys("q q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: a server that is killed is shown as gone, one that has stopped as well") {
  if (no_tmux()) return;
  const Tmux tmux(160, 24);
  auto server = std::make_unique<ServerProcess>(few());
  const TopInTmux top(tmux, of(*server));
  REQUIRE(tmux.shows("OK  parent"));
  server->signal(SIGKILL);
  server->wait_exit();
  CHECK(tmux.shows("CRITICAL  parent"));
  CHECK(tmux.shows("gone, was started"));
  std::filesystem::remove(server->scoreboard());
  CHECK(tmux.shows("No such file"));
  tmux.keys("q");
  CHECK(top.end() == "0");
}

TEST_CASE("top: colours as the terminal has them: 256, 16, none") {
  if (no_tmux()) return;
  ServerProcess server(few());
  struct Case {
    std::string environment, found, missing;
  };
  for (const auto& [environment, found, missing] :
       {Case{"TERM=tmux-256color", "38;5;", "\x1b[36m"}, Case{"TERM=screen COLORTERM=", "\x1b[36m", "38;5;"},
        Case{"TERM=tmux-256color NO_COLOR=1", "\x1b[7m", "\x1b[36m"}}) {
    CAPTURE(environment);
    const Tmux tmux(80, 24, environment);
    const TopInTmux top(tmux, of(server));
    REQUIRE(tmux.shows("q quit"));
    const std::string screen = tmux.screen("-e");
    CHECK(shows_part(screen, found));
    CHECK_FALSE(shows_part(screen, missing));
    tmux.keys("q");
    CHECK(top.end() == "0");
  }
}

TEST_CASE("top: many services, a line each, and Enter opens one") {
  if (no_tmux()) return;
  const Directory directory(two_children);
  directory.add("first");
  directory.add_unix("second");
  ServerProcess server(in(directory), brood_options());
  const Tmux tmux(120, 40);
  const TopInTmux top(tmux, of(server));
  REQUIRE(tmux.shows(", 2 services"));
  CHECK(tmux.shows("0 in the queues"));
  tmux.keys("Down Enter");
  CHECK(tmux.shows(" / second"));
  tmux.keys("Escape v f i Enter");
  CHECK(tmux.shows("services with fi"));
  tmux.keys("Enter");
  CHECK(tmux.shows(" / first"));
  tmux.keys("q");
  CHECK(top.end() == "0");
}
