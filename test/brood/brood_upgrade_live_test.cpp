// SPDX-License-Identifier: MIT
// `brood` itself replaced in place: what its services are run by goes on, and what its directory says by then
// is heeded.
#include "brood_directory.hpp"
#include "load.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// The settings that all share stand in a file of their own.
class UpgradeableBrood : public Upgradeable {
 public:
  explicit UpgradeableBrood(const Directory& directory, std::vector<std::string> more = {},
                            const std::string& shared = two_children)
      : Upgradeable(in(directory, std::move(more)), shared, {.program = "brood", .listen = false}) {}

  bool reaches(const std::string& service, const std::function<bool(const ServiceSnapshot&)>& condition) {
    return eventually([&] {
      const auto found = find_service(server, service);
      return found && condition(*found);
    });
  }
};

std::function<bool(const ServiceSnapshot&)> all_of_generation(std::uint32_t generation) {
  return [generation](const ServiceSnapshot& service) {
    if (service.generation != generation || service.idle == 0 || service.leaving > 0) return false;
    return std::ranges::all_of(service.slots, [generation](const auto& slot) {
      return slot.state == SlotState::empty || slot.generation == generation;
    });
  };
}

bool has_handler(pid_t child) {
  const std::string caught = "0" + status_of(child, "SigCgt");
  return (std::stoull(caught, nullptr, 16) >> (SIGTERM - 1) & 1U) != 0;
}

std::string runs_program(const Directory& directory, const std::string& service, const std::string& command,
                         const std::string& gets) {
  return "command = " + command + "\ncommand-gets = " + gets + "\nlisten = " + directory.address(service) +
         "\n";
}

}  // namespace

TEST_CASE("children of each kind are carried over and recycled, and under load no connection fails" *
          doctest::test_suite("slow")) {
  const Directory directory;
  directory.add_unix("echo");
  directory.write("slot", runs_program(directory, "slot", program_path("brood-test-server"), "slot"));
  directory.write("python", runs_program(directory, "python", example_path("listen_fds.py"), "listeners"));
  directory.write("shell", runs_program(directory, "shell", "/bin/cat", "connection"));
  UpgradeableBrood it(directory);
  const std::vector<std::string> services = {"echo", "slot", "python", "shell"};
  Load echo(directory.address("echo"), 1, "load"), slot(directory.address("slot"), 1),
      python(directory.address("python"), 1, "load"), shell(directory.address("shell"), 1, "load");
  const std::vector<Load*> loads = {&echo, &slot, &python, &shell};
  for (Load* load : loads) REQUIRE(load->more_answers(10));
  for (std::uint32_t i = 0; i < 3; ++i) {
    // Python has no handler in its first moments, and would be killed by what asks it to leave.
    REQUIRE(eventually([&] { return std::ranges::all_of(pids_of(it.server, "python"), has_handler); }));
    std::vector<std::vector<pid_t>> before;
    for (const auto& service : services) before.push_back(pids_of(it.server, service));
    it.install("brood");
    REQUIRE(it.upgrade());
    for (std::size_t each = 0; each < services.size(); ++each) {
      CAPTURE(services[each]);
      CHECK(it.reaches(services[each], all_of_generation(i + 2)));
      CHECK(loads[each]->more_answers(10));
      for (const pid_t old : before[each])
        CHECK(std::ranges::count(pids_of(it.server, services[each]), old) == 0);
    }
  }
  for (std::size_t each = 0; each < services.size(); ++each) {
    CAPTURE(services[each]);
    CHECK(loads[each]->stop().failed() == 0);
    CHECK(find_service(it.server, services[each])->total.aborted == 0);
    CHECK(find_service(it.server, services[each])->children_failed == 0);
  }
  CHECK(it.server.snapshot().upgrades == 3);
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("a connection in the hand of each kind of child survives an upgrade") {
  const Directory directory;
  directory.add_unix("echo");
  directory.write("slot", runs_program(directory, "slot", program_path("brood-test-server"), "slot"));
  directory.write("shell", runs_program(directory, "shell", "/bin/cat", "connection"));
  UpgradeableBrood it(directory);
  Client echo(directory.address("echo")), slot(directory.address("slot")), shell(directory.address("shell"));
  CHECK(echo.ask("one") == "one");
  CHECK(slot.ask("echo one") == "one");
  CHECK(shell.ask("one") == "one");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(it.upgrade());
    CHECK(echo.ask("two") == "two");
    CHECK(slot.ask("echo two") == "two");
    CHECK(slot.ask("env BROOD_PARENT") == "unset");
    CHECK(shell.ask("two") == "two");
  }
  for (Client* client : {&echo, &slot, &shell}) client->close();
  for (const char* service : {"echo", "slot", "shell"}) CHECK(it.reaches(service, all_of_generation(3)));
  CHECK(Client(directory.address("slot")).ask("env BROOD_PARENT") == "unset");
}

TEST_CASE("a file that is new at an upgrade is left out with a message, and comes with the next reload") {
  const Directory directory;
  directory.add_unix("a");
  UpgradeableBrood it(directory);
  directory.add_unix("b");
  REQUIRE(it.upgrade());
  CHECK(it.server.wait_for_log("service b is left out"));
  CHECK_FALSE(find_service(it.server, "b"));
  CHECK(answers(directory.address("a")));
  it.server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("b")); }));
  // On an entry that was kept for it, it is carried over like the others.
  Client client(directory.address("b"));
  REQUIRE(client.ask("one") == "one");
  const auto before = find_service(it.server, "b");
  REQUIRE(it.upgrade());
  CHECK(client.ask("two") == "two");
  client.close();
  CHECK(it.reaches("b", all_of_generation(before->generation + 1)));
  CHECK(find_service(it.server, "b")->total.accepted >= before->total.accepted);
  CHECK(answers(directory.address("b")));
}

TEST_CASE("a file that is gone refuses the upgrade, which a reload makes good") {
  const Directory directory;
  directory.add_unix("a");
  directory.add_unix("b");
  UpgradeableBrood it(directory);
  directory.remove("b");
  CHECK(it.upgrade_is_refused("its rehearsal exited with code 78"));
  CHECK(it.server.wait_for_log("service b is none of this program; that needs a reload first"));
  CHECK(answers(directory.address("b")));
  // One that goes can't be carried over until it has gone.
  Client client(directory.address("b"));
  REQUIRE(client.ask("one") == "one");
  it.server.signal(SIGHUP);
  REQUIRE(it.server.wait_for_log("service b: is no longer configured"));
  CHECK(it.upgrade_is_refused("service b is stopping: wait until it has stopped"));
  CHECK(client.ask("two") == "two");
  client.close();
  REQUIRE(eventually([&] { return !find_service(it.server, "b"); }));
  REQUIRE(it.upgrade());
  CHECK(answers(directory.address("a")));
  // The place that it had is free in the new program, too.
  directory.add_unix("c");
  it.server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("c")); }));
}

TEST_CASE("a mistake in one file refuses the upgrade, with file and line") {
  const Directory directory;
  directory.add_unix("a");
  directory.add_unix("b");
  UpgradeableBrood it(directory);
  directory.add_unix("b", "max-clients = many\n");
  CHECK(it.upgrade_is_refused("--test-config exited with code 78"));
  CHECK(it.server.wait_for_log(directory.file("b") + ":3: max-clients = many is not a whole number"));
  CHECK(answers(directory.address("b")));
  CHECK(find_service(it.server, "a")->generation == 1);
}

TEST_CASE("if the new brood gives up, the former one goes on with the values that were in force") {
  const Directory directory;
  directory.write("a", "built-in = echo\nlisten = " + directory.address("a") + "\nlisten = 127.0.0.1:0\n");
  directory.add_unix("b", "max-clients = 30\n");
  UpgradeableBrood it(directory, {"--b.idle-timeout=9s", "--a.max-clients=40", "--max-requests-per-child=70"},
                      std::string(two_children) + "max-clients = 20\n");
  directory.add_unix("c");  // with what is shared
  it.server.signal(SIGHUP);
  REQUIRE(eventually([&] { return answers(directory.address("c")); }));
  const auto limits = [&](const std::string& service) {
    const auto its = find_service(it.server, service);
    REQUIRE(its);
    return std::vector<std::uint64_t>{its->max_clients, its->start_servers, its->max_requests_per_child};
  };
  const std::vector<std::string> services = {"a", "b", "c"};
  std::vector<std::vector<std::uint64_t>> before;
  for (const auto& service : services) before.push_back(limits(service));
  CHECK(before[0][0] == 40);
  CHECK(before[1][0] == 30);
  CHECK(before[2][0] == 20);
  CHECK(before[2][2] == 70);
  Client client(directory.address("c"));
  REQUIRE(client.ask("one") == "one");

  // An address that is taken is found out after exec() alone.
  const ServerProcess other;
  const std::string mine = "built-in = echo\nlisten = " + directory.address("b") + "\nmax-clients = 31\n";
  directory.write("b", mine + "listen = " + other.address() + "\n");
  directory.write("a", "built-in = discard\nlisten = " + directory.address("a") + "\n");
  it.write_settings(std::string(two_children) + "max-clients = 50\n");
  for (unsigned i = 1; i <= 2; ++i) {
    CHECK(it.upgrade_is_refused("Address already in use"));
    CHECK(it.count("the former program goes on") == i);
    CHECK(client.ask("two") == "two");
    std::vector<std::vector<std::uint64_t>> after;
    for (const auto& service : services) after.push_back(limits(service));
    CHECK(after == before);
    for (const auto& service : services) {
      CHECK(find_service(it.server, service)->generation <= 2);
      CHECK(answers(directory.address(service)));
    }
  }
  // The files count again at the next reload, but for what can't be had.
  it.server.signal(SIGHUP);
  CHECK(it.reaches("c", [](const auto& service) { return service.max_clients == 50; }));
  CHECK(it.reaches("a", [](const auto& service) { return service.generation == 3; }));
  CHECK(find_service(it.server, "b")->max_clients == 30);
  directory.write("b", mine);
  REQUIRE(it.upgrade());
  CHECK(it.reaches("b", [](const auto& service) { return service.max_clients == 31; }));
  client.close();
  it.server.signal(SIGTERM);
  CHECK(it.server.wait_exit() == exited(0));
}

TEST_CASE("the former brood goes on without a directory that is gone") {
  const Directory directory;
  directory.add_unix("a");
  directory.add_unix("b");
  UpgradeableBrood it(directory, {"--a.max-clients=40"});
  const std::string away = directory.path() + ".away";
  // Neither its test nor its rehearsal has the parent's pid.
  it.install_script("test -d " + directory.path() + " && test $$ = " + std::to_string(it.server.pid()) +
                    " && mv " + directory.path() + " " + away + "\nexec " + program_path("brood") +
                    " \"$@\"");
  CHECK(it.upgrade_is_refused("the former program goes on"));
  std::filesystem::rename(away, directory.path());
  for (const char* service : {"a", "b"}) CHECK(answers(directory.address(service)));
  CHECK(find_service(it.server, "a")->max_clients == 40);
  CHECK(find_service(it.server, "a")->generation == 1);
  it.server.signal(SIGHUP);
  CHECK(it.reaches("a", all_of_generation(2)));
  it.install("brood");
  REQUIRE(it.upgrade());
  CHECK(find_service(it.server, "a")->max_clients == 40);
}

TEST_CASE("on-demand services without a child are served after an upgrade, and nobody wakes until then") {
  const Directory directory;
  const std::string on_demand =
      "start-servers = 0\nmin-spare-servers = 0\nmax-spare-servers = 2\nidle-timeout = 100ms\n";
  directory.add_unix("echo");
  directory.write("slot", runs_program(directory, "slot", program_path("brood-test-server"), "slot"));
  directory.write("shell", runs_program(directory, "shell", "/bin/cat", "connection"));
  UpgradeableBrood it(directory, {}, on_demand);
  REQUIRE(it.upgrade());
  CHECK(it.server.children().empty());
  CHECK(rests(it.server.pid(), 1s));
  CHECK(answers(directory.address("echo")));
  CHECK(Client(directory.address("slot")).ask("echo hello") == "hello");
  CHECK(answers(directory.address("shell")));
  CHECK(eventually([&] { return it.server.children().empty(); }));
  REQUIRE(it.upgrade());
  CHECK(answers(directory.address("shell")));
}
