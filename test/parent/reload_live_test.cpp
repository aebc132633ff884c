// SPDX-License-Identifier: MIT
// SIGHUP: new children get the new settings, settings that need a restart are reported, and connected clients
// are not disturbed. A bad file changes nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "load.hpp"
#include "process_table.hpp"
#include "server_process.hpp"
#include "watch.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A server with a settings file that can be written again.
struct Reloadable {
  explicit Reloadable(const std::string& settings, ServerOptions options = {})
      : written(write(settings)), server({"--config=" + (directory / "settings.conf")}, std::move(options)) {}

  bool write(const std::string& settings) {
    write_file(directory / "settings.conf", settings);
    return true;
  }
  void reload(const std::string& settings) {
    write(settings);
    server.signal(SIGHUP);
  }

  TemporaryDirectory directory;
  bool written;
  ServerProcess server;
};

bool none_in_common(const std::vector<pid_t>& a, const std::vector<pid_t>& b) {
  return std::none_of(a.begin(), a.end(), [&](pid_t pid) { return std::count(b.begin(), b.end(), pid) > 0; });
}

}  // namespace

TEST_CASE("SIGHUP replaces all children by a new generation") {
  ServerProcess server({"--start-servers=6", "--min-spare-servers=4"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 6; }));
  const auto before = server.children();
  server.signal(SIGHUP);
  REQUIRE(server.reaches(settled_at(2)));
  CHECK(none_in_common(before, server.children()));
  CHECK(server.wait_for_log("reloaded"));
  const ServiceSnapshot service = server.service();
  CHECK(service.children_failed == 0);
  CHECK(service.children_gone == 6);
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("there are never fewer than min-spare-servers ready while a generation is replaced") {
  ServerProcess server({"--start-servers=8", "--min-spare-servers=4", "--max-spare-servers=10"});
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 8; }));
  unsigned fewest = UINT32_MAX;
  Watch watch(server.scoreboard(),
              [&](const ServiceSnapshot& service) { fewest = std::min(fewest, service.idle); });
  server.signal(SIGHUP);
  REQUIRE(server.reaches(settled_at(2)));
  watch.stop();
  CHECK(fewest >= 4);
}

TEST_CASE("limits that changed are applied, without a restart") {
  Reloadable it("start-servers = 2\nmin-spare-servers = 2\nmax-spare-servers = 4\n");
  it.reload(
      "start-servers = 2\nmin-spare-servers = 7\nmax-spare-servers = 9\nmax-clients = "
      "40\nmax-requests-per-child = 50\n");
  CHECK(it.server.reaches(settled_at(2)));
  CHECK(it.server.reaches([](const auto& service) { return service.idle >= 7; }));
  const ServiceSnapshot service = it.server.service();
  CHECK(service.min_spare_servers == 7);
  CHECK(service.max_spare_servers == 9);
  CHECK(service.max_clients == 40);
  CHECK(service.max_requests_per_child == 50);
  it.reload("start-servers = 1\nmin-spare-servers = 1\nmax-spare-servers = 2\n");
  CHECK(it.server.reaches([](const auto& now) { return now.generation == 3 && now.children() == 2; }));
}

TEST_CASE("a setting of the server's own is applied by reload, and on_reload is called") {
  Reloadable it("word = first\n");
  CHECK(it.server.connect().ask("word") == "first");
  it.reload("word = second\n");
  CHECK(it.server.wait_for_log("test_server: reloaded, word = second"));
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("word") == "second");
}

TEST_CASE("an open connection is finished by the child that has it") {
  ServerProcess server;
  Client client = server.connect();
  const pid_t child = client.child();
  server.signal(SIGHUP);
  REQUIRE(server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 5; }));
  CHECK(client.child() == child);
  CHECK(eventually([&] { return client.ask("leaving") == "yes"; }));
  CHECK(client.ask("echo still") == "still");
  client.close();
  CHECK(eventually([&] { return !is_alive(child); }));
  CHECK(server.reaches(
      [](const auto& service) { return service.total.finished == 1 && service.total.aborted == 0; }));
}

TEST_CASE("busy children of an old generation don't keep the idle ones from being replaced") {
  ServerProcess server(
      {"--start-servers=6", "--min-spare-servers=2", "--max-spare-servers=6", "--max-clients=8"});
  const auto held = server.hold(4);
  server.signal(SIGHUP);
  CHECK(server.reaches([](const auto& service) {
    return std::all_of(service.slots.begin(), service.slots.end(), [](const SlotSnapshot& slot) {
      return slot.state == SlotState::empty || slot.open_connections > 0 || slot.generation == 2;
    });
  }));
  CHECK(server.connect().ask("echo hello") == "hello");
}

TEST_CASE("settings that need a restart are named in the log and stay as they were") {
  Reloadable it("fixed-word = first\nlisten-backlog = 100\n");
  it.reload("fixed-word = second\nlisten-backlog = 200\npid-file = /no/such/place\n");
  CHECK(it.server.wait_for_log("setting fixed-word has changed; that needs a restart"));
  CHECK(it.server.wait_for_log("setting listen-backlog has changed; that needs a restart"));
  CHECK(it.server.wait_for_log("setting pid-file has changed; that needs a restart"));
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("fixed-word") == "first");
}

TEST_CASE("whatever on_reload throws is logged, and the server goes on") {
  Reloadable it("word = first\n");
  it.reload("word = anything\n");
  CHECK(it.server.wait_for_log("on_reload: an exception that is no std::exception"));
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("word") == "anything");
}

TEST_CASE("a child that holds the lock that it shares with the parent stops nobody") {
  Reloadable it("");
  CHECK(it.server.connect().ask("block-events") == "blocking");
  for (std::uint32_t generation = 2; generation < 5; ++generation) {
    it.server.signal(SIGHUP);
    REQUIRE(it.server.reaches(settled_at(generation)));
    CHECK(it.server.connect().ask("block-events") == "blocking");
  }
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("a reload without a change says nothing of restarts") {
  Reloadable it("fixed-word = first\nlisten-backlog = 100\n");
  it.server.signal(SIGHUP);
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.count_in_log("needs a restart") == 0);
}

TEST_CASE("a bad file at SIGHUP is reported with file and line, and changes nothing") {
  Reloadable it("min-spare-servers = 3\nword = first\n");
  REQUIRE(it.server.reaches([](const auto& service) { return service.idle == 5; }));
  const auto before = it.server.children();
  it.reload("word = second\nmin-spare-servers = 30\nmax-spare-servers = 10\nmax-clientz = 4\n");
  CHECK(it.server.wait_for_log("settings.conf:4: unknown setting 'max-clientz'"));
  CHECK(it.server.wait_for_log("settings.conf:2: min-spare-servers = 30 exceeds max-spare-servers = 10"));
  CHECK(it.server.wait_for_log("reload refused"));
  CHECK(it.server.children() == before);
  CHECK(it.server.service().generation == 1);
  CHECK(it.server.service().min_spare_servers == 3);
  CHECK(it.server.connect().ask("word") == "first");
  // And the next good one is taken.
  it.reload("word = third\nmin-spare-servers = 3\n");
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(it.server.connect().ask("word") == "third");
}

TEST_CASE("whatever is thrown while settings are read is a mistake of that setting") {
  Reloadable it("digits = 7\nword = first\n");
  REQUIRE(it.server.reaches(settled_at(1)));
  const auto before = it.server.children();
  unsigned refusals = 0;
  for (const char* wrong : {"7777777777777777777777", "seven", "anything"}) {
    it.reload("word = second\ndigits = " + std::string(wrong) + "\n");
    CHECK(it.server.wait_for_log("settings.conf:2: digits = " + std::string(wrong) + " "));
    ++refusals;
    CHECK(eventually([&] { return it.server.count_in_log("reload refused") == refusals; }));
  }
  CHECK(it.server.children() == before);
  CHECK(it.server.connect().ask("word") == "first");
  ServerProcess started({"--digits=seven"}, {.wait_ready = false});
  CHECK(started.wait_exit() == exited(78));
  CHECK(started.standard_error().find("command line: digits = seven ") != std::string::npos);
}

TEST_CASE("a file that is gone at SIGHUP changes nothing") {
  Reloadable it("word = first\n");
  std::filesystem::remove(it.directory / "settings.conf");
  it.server.signal(SIGHUP);
  CHECK(it.server.wait_for_log("reload refused"));
  CHECK(it.server.service().generation == 1);
  CHECK(it.server.connect().ask("word") == "first");
}

TEST_CASE("a listener that is added is opened, and every new child serves it") {
  const TemporaryDirectory place;
  const std::string address = "unix:" + (place / "added");
  Reloadable it("listen = 127.0.0.1:0\n", {.listen = false});
  const std::string old_address = it.server.address();
  it.reload("listen = 127.0.0.1:0\nlisten = " + address + ",name=added\n");
  CHECK(it.server.wait_for_log("listens on " + address));
  REQUIRE(it.server.reaches(settled_at(2)));
  CHECK(Client(address).ask("listener") == "added");
  CHECK(Client(old_address).ask("echo kept") == "kept");
}

TEST_CASE("a listener that is removed is drained and closed, and open connections are finished") {
  const TemporaryDirectory place;
  const std::string path = place / "removed";
  Reloadable it("listen = 127.0.0.1:0\nlisten = unix:" + path + "\n", {.listen = false});
  Client client("unix:" + path);
  const pid_t child = client.child();
  it.reload("listen = 127.0.0.1:0\n");
  CHECK(it.server.wait_for_log("listener unix:" + path + " is drained and closed"));
  CHECK(eventually([&] { return !std::filesystem::exists(path); }));
  REQUIRE(
      it.server.reaches([](const auto& service) { return service.generation == 2 && service.idle >= 5; }));
  CHECK(client.child() == child);
  client.close();
  CHECK(Client(it.server.address()).ask("echo kept") == "kept");
  CHECK(it.server.reaches(settled_at(2)));
}

TEST_CASE("a tcp listener that is removed refuses newcomers once it is closed") {
  Reloadable it("listen = 127.0.0.1:0\nlisten = 127.0.0.2:0\n", {.listen = false});
  const std::string removed = it.server.addresses().at(1);
  CHECK(Client(removed).ask("echo there") == "there");
  it.reload("listen = 127.0.0.1:0\n");
  CHECK(eventually([&] { return refuses(removed, "echo x"); }));
  CHECK(Client(it.server.address()).ask("echo kept") == "kept");
  // No child was lost over it.
  CHECK(it.server.service().children_failed == 0);
}

TEST_CASE("the only tcp listener is replaced by another, and back again, and no child is lost") {
  Reloadable it("listen = 127.0.0.1:0\n", {.listen = false});
  it.reload("listen = 127.0.0.2:0\n");
  CHECK(it.server.wait_for_log("is drained and closed"));
  it.reload("listen = 127.0.0.1:0\n");
  CHECK(it.server.reaches([](const auto& service) { return service.generation == 3; }));
  // Taken out of its drain it is the same socket. If that has ended, it is another one, at another port.
  CHECK(eventually([&] { return answers(it.server.service().listeners, "echo back", "back"); }));
  CHECK(it.server.reaches(settled_at(3)));
  CHECK(it.server.service().children_failed == 0);
}

TEST_CASE("a setting that needs a restart stays as it was over any number of reloads") {
  Reloadable it("fixed-word = one\n");
  CHECK(it.server.connect().ask("fixed-word") == "one");
  for (int generation = 2; generation < 5; ++generation) {
    it.reload("fixed-word = two\n");
    CHECK(it.server.reaches(settled_at(static_cast<unsigned>(generation))));
    CHECK(it.server.connect().ask("fixed-word") == "one");
  }
  CHECK(it.server.count_in_log("setting fixed-word has changed") == 3);
}

TEST_CASE("a listener that can't be opened at SIGHUP refuses the whole reload") {
  const ServerProcess other;
  Reloadable it("listen = 127.0.0.1:0\nword = first\n", {.listen = false});
  it.reload("listen = 127.0.0.1:0\nlisten = " + other.address() + "\nword = second\n");
  CHECK(it.server.wait_for_log("reload refused"));
  CHECK(it.server.wait_for_log(other.address()));
  CHECK(it.server.service().generation == 1);
  CHECK(it.server.connect().ask("word") == "first");
  CHECK(other.connect().ask("echo hello") == "hello");
}

TEST_CASE("more max-clients than the scoreboard has slots for refuse the reload") {
  Reloadable it("max-clients = 10\n");
  it.reload("max-clients = 30000\n");
  CHECK(it.server.wait_for_log("reload refused"));
  CHECK(it.server.service().max_clients == 10);
}

TEST_CASE("a refused reload leaves nothing of itself in force") {
  // The listener fails after the file was found right: the server's own settings must not be the new ones
  // then either.
  const ServerProcess other;
  Reloadable it("listen = 127.0.0.1:0\nword = first\nmax-requests-per-child = 1\n", {.listen = false});
  it.reload("listen = " + other.address() + "\nword = second\n");
  CHECK(it.server.wait_for_log("reload refused"));
  for (int i = 0; i < 20; ++i) CHECK(it.server.connect().ask("word") == "first");
}

TEST_CASE("SIGHUP and SIGUSR1 reopen the log after it was renamed, in parent and children") {
  ServerProcess server;
  CHECK(server.connect().ask("log before") == "logged");
  std::filesystem::rename(server.log_path(), server.log_path() + ".1");
  SUBCASE("SIGHUP") { server.signal(SIGHUP); }
  SUBCASE("SIGUSR1") { server.signal(SIGUSR1); }
  CHECK(eventually([&] { return std::filesystem::exists(server.log_path()); }));
  CHECK(eventually([&] {
    CHECK(server.connect().ask("log after") == "logged");
    return server.log().find("after") != std::string::npos;
  }));
  const std::string old_log = read_file(server.log_path() + ".1");
  CHECK(old_log.find("before") != std::string::npos);
  // From now on nothing goes to the old file.
  for (int i = 0; i < 20; ++i) CHECK(server.connect().ask("log later") == "logged");
  CHECK(read_file(server.log_path() + ".1").find("later") == std::string::npos);
}

TEST_CASE("no connection is lost by reloads under load") {
  ServerProcess server(
      {"--start-servers=4", "--min-spare-servers=4", "--max-spare-servers=12", "--max-clients=32"});
  Watch watch(server.scoreboard(), [](const ServiceSnapshot&) {});
  Load load(server.address(), 8);
  for (std::uint32_t generation = 2; generation <= 9; ++generation) {
    CHECK(load.more_answers(50));
    server.signal(SIGHUP);
    CHECK(server.reaches(settled_at(generation)));
  }
  const LoadFigures figures = load.stop();
  watch.stop();
  CHECK(figures.failed() == 0);
  CHECK(watch.broken_sums() == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.total.accepted == figures.answered && service.total.finished == figures.answered;
  }));
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("no connection is lost by reloads under load with several listeners" *
          doctest::test_suite("slow")) {
  ServerProcess server({"--listen=127.0.0.1:0,name=second", "--start-servers=4", "--min-spare-servers=4",
                        "--max-spare-servers=12", "--max-clients=32"});
  Load first(server.addresses().at(0), 4);
  Load second(server.addresses().at(1), 4);
  for (std::uint32_t generation = 2; generation <= 9; ++generation) {
    CHECK(first.more_answers(25));
    CHECK(second.more_answers(25));
    server.signal(SIGHUP);
    CHECK(server.reaches(settled_at(generation)));
  }
  const LoadFigures figures = first.stop();
  const LoadFigures others = second.stop();
  CHECK(figures.failed() == 0);
  CHECK(others.failed() == 0);
  CHECK(server.reaches(
      [&](const auto& service) { return service.total.finished == figures.answered + others.answered; }));
}

TEST_CASE("many SIGHUPs at once end in one settled generation") {
  ServerProcess server;
  for (int i = 0; i < 50; ++i) server.signal(SIGHUP);
  CHECK(server.reaches(
      [](const auto& service) { return service.generation > 1 && settled_at(service.generation)(service); }));
  CHECK(server.connect().ask("echo hello") == "hello");
}
