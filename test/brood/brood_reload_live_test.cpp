// SPDX-License-Identifier: MIT
// `brood` at SIGHUP: services come, change and go, and the others don't notice.
#include <sys/stat.h>

#include "brood_directory.hpp"
#include "broodctl.hpp"

using namespace brood;
using namespace brood::test;

namespace {

bool has_generation(const ServerProcess& server, const std::string& service, unsigned generation) {
  const auto found = find_service(server, service);
  return found && found->generation == generation;
}

}  // namespace

TEST_CASE("a new file is a new service, a removed one is none any more") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  directory.remove("b");
  directory.add_unix("c");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("c")); }));
  CHECK(eventually([&] { return !find_service(server, "b"); }));
  CHECK_FALSE(answers(directory.address("b")));
  CHECK(answers(directory.address("a")));
  // And again, into the place that b had.
  directory.add_unix("d");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("d")); }));
  CHECK(find_service(server, "d")->total.accepted <= 1);
}

TEST_CASE("a client of a service that is removed is served to the end") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  ServerProcess server(in(directory), brood_options());
  Client client(directory.address("b"));
  CHECK(client.ask("one") == "one");
  directory.remove("b");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return !answers(directory.address("b")); }));
  CHECK(client.ask("two") == "two");
  CHECK(find_service(server, "b"));
  client.close();
  CHECK(eventually([&] { return !find_service(server, "b"); }));
  CHECK(server.wait_for_log("service b: has ended"));
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("a service that comes back while it goes is there again") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  Client client(directory.address("b"));
  CHECK(client.ask("one") == "one");
  directory.remove("b");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("service b: is no longer configured"));
  directory.add_unix("b");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("b")); }));
  CHECK(client.ask("two") == "two");
}

TEST_CASE("a service under another name has its address as soon as its predecessor lets go of it") {
  const Directory directory(one_child);
  directory.add("a");
  directory.add("b");
  const ServerProcess server(in(directory), brood_options());
  const std::string address = server.addresses().at(1);
  REQUIRE(answers(address));
  directory.remove("b");
  directory.write("c", "built-in = echo\nlisten = " + address + "\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return find_service(server, "c").has_value() && answers(address); }));
}

TEST_CASE("a file with a mistake leaves its service as it was, and the others are reloaded") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  const auto before = pids_of(server, "b");
  directory.add_unix("a", "max-clients = 20\n");
  directory.add_unix("b", "max-clients = many\n");
  directory.add_unix("c", "nonsense\n");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("b.conf:3: max-clients = many is not a whole number"));
  CHECK(server.wait_for_log("service b keeps its former configuration"));
  CHECK(server.wait_for_log("service c is left out"));
  CHECK(eventually([&] { return has_generation(server, "a", 2); }));
  CHECK(find_service(server, "a")->max_clients == 20);
  CHECK(has_generation(server, "b", 1));
  CHECK(pids_of(server, "b") == before);
  CHECK_FALSE(find_service(server, "c"));
  // Mended, all have what they say.
  directory.add_unix("b", "max-clients = 30\n");
  directory.add_unix("c");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return answers(directory.address("c")); }));
  CHECK(find_service(server, "b")->max_clients == 30);
}

TEST_CASE("a file that can't be read is refused at once, and nobody waits for a writer") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  ServerProcess server(in(directory), brood_options());
  directory.remove("b");
  REQUIRE(mkfifo(directory.file("b").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/nowhere/c.conf", directory.file("c"));
  std::filesystem::create_directory(directory.file("d"));
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("b.conf: is a pipe"));
  CHECK(server.wait_for_log("c.conf: No such file or directory"));
  CHECK(server.count_in_log("c.conf") == 1);  // what it lacks is no further mistake
  CHECK(eventually([&] { return has_generation(server, "a", 2); }));
  CHECK(answers(directory.address("b")));
  CHECK_FALSE(find_service(server, "d"));
}

TEST_CASE("a service that can't have its new listener stays as it was, and the others are reloaded") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  directory.write("a", "built-in = echo\nlisten = unix:" + directory.path() + "/not-there/a.sock\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return has_generation(server, "b", 2); }));
  CHECK(has_generation(server, "a", 1));
  CHECK(answers(directory.address("a")));
}

TEST_CASE("a reload that is refused leaves a listener that is drained as it was, with its queue") {
  const Directory directory(one_child);
  const ServerProcess other;
  const std::string settings = "max-clients = 1\noverload-read-timeout = 0\n";  // the held client is silent
  directory.add("a", settings);
  const ServerProcess server(in(directory), brood_options());
  const std::string address = server.addresses().at(0);
  Client held(address), queued(address);
  REQUIRE(held.ask("held") == "held");
  queued.send("queued\n");
  directory.add_unix("a", settings);
  server.signal(SIGHUP);
  REQUIRE(server.wait_for_log("is drained and closed"));
  // Back, and another one that can't be had.
  directory.add("a", settings + "listen = " + other.address() + "\n");
  server.signal(SIGHUP);
  REQUIRE(server.wait_for_log("service a keeps its former configuration"));
  CHECK(held.ask("held") == "held");
  held.close();
  CHECK(queued.line() == "queued");
}

TEST_CASE("a service takes the address of one that goes as soon as that is free") {
  const Directory directory(one_child);
  directory.add("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  const std::string address = server.addresses().at(0);
  Client held(address);
  REQUIRE(held.ask("held") == "held");
  directory.remove("a");
  directory.write("b", "built-in = echo\nlisten = " + address + "\n");
  server.signal(SIGHUP);
  REQUIRE(server.wait_for_log("service b keeps its former configuration"));
  held.close();
  CHECK(eventually([&] { return find_service(server, "b")->listeners == address && answers(address); }));
}

TEST_CASE("a mistake in the defaults, an empty directory, or none, and the reload is refused") {
  const Directory directory(one_child);
  directory.add_unix("a");
  const ServerProcess server(in(directory), brood_options());
  const auto reload = [&](unsigned refusals) {
    server.signal(SIGHUP);
    CHECK(eventually([&] { return server.count_in_log("reload refused") == refusals; }));
    CHECK(answers(directory.address("a")));
    CHECK(has_generation(server, "a", 1));
  };
  write_file(directory.path() + "/defaults/all.conf", "nonsense\n");
  reload(1);
  write_file(directory.path() + "/defaults/all.conf", one_child);
  directory.remove("a");
  reload(2);
  directory.add_unix("a");
  std::filesystem::rename(directory.path(), directory.path() + ".away");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return server.count_in_log("reload refused") == 3; }));
  std::filesystem::rename(directory.path() + ".away", directory.path());
  server.signal(SIGHUP);
  CHECK(eventually([&] { return has_generation(server, "a", 2); }));
}

TEST_CASE(
    "a built-in server changes into another one by a reload, and into a command by a restart of the "
    "service") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  directory.write("a", "built-in = discard\nlisten = " + directory.address("a") + "\n");
  directory.write("b", "command = /bin/echo instead\ncommand-gets = connection\nlisten = " +
                           directory.address("b") + "\n");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return has_generation(server, "a", 2); }));
  CHECK(server.wait_for_log("setting built-in has changed; that needs a restart of service b"));
  CHECK(answers(directory.address("b")));
  CHECK(eventually([&] {
    Client client(directory.address("a"));
    client.send("hello\n");
    client.finish_sending();
    return client.until_end().empty();
  }));
  CHECK(ask(server, "restart b").code == 0);
  CHECK(Client(directory.address("b")).until_end() == "instead\n");
}

TEST_CASE("settings that were only checked, or refused, leave no mark") {
  const Directory directory(one_child);
  directory.add_unix("a");
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("b");
  CHECK(ask(server, "check").code == 0);
  directory.write("b", "built-in = echo\nlisten = unix:/not-there/b.sock\n");
  CHECK(ask(server, "reload").code == 78);
  directory.write("b",
                  "command = /bin/cat\ncommand-gets = connection\nlisten = " + directory.address("b") + "\n");
  CHECK(ask(server, "check").code == 0);
  const CtlAnswer answer = ask(server, "reload");
  CHECK_MESSAGE(answer.code == 0, answer.text);
  CHECK(answers(directory.address("b")));
}

TEST_CASE("any number of services of any size can be added, and each has a scoreboard of its own") {
  const Directory directory(
      "start-servers = 0\nmin-spare-servers = 0\nmax-clients = 2\nmax-spare-servers = 2\n");
  directory.add_unix("first");
  const ServerProcess server(in(directory), brood_options());
  const auto has_file = [&](const std::string& service) {
    return std::filesystem::exists(server.scoreboard() + "/" + service);
  };
  CHECK(has_file("first"));
  for (int i = 10; i < 50; ++i) directory.add_unix("more" + std::to_string(i));
  directory.add_unix("large", "max-clients = 1000\n");
  server.signal(SIGHUP);
  REQUIRE(eventually([&] { return answers(directory.address("more49")); }));
  CHECK(answers(directory.address("large")));
  CHECK(find_service(server, "large")->slots.size() >= 1000);
  CHECK(has_file("more49"));
  directory.remove("more10");
  server.signal(SIGHUP);
  CHECK(eventually([&] { return !find_service(server, "more10"); }));
  CHECK_FALSE(has_file("more10"));
  CHECK(answers(directory.address("more49")));
}

TEST_CASE("a service that comes again begins with figures of its own") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  for (int i = 0; i < 5; ++i) CHECK(answers(directory.address("b")));
  CHECK(eventually([&] { return find_service(server, "b")->total.finished == 5; }));
  directory.remove("b");
  server.signal(SIGHUP);
  REQUIRE(eventually([&] { return !find_service(server, "b"); }));
  directory.add_unix("b");
  server.signal(SIGHUP);
  REQUIRE(eventually([&] { return answers(directory.address("b")); }));
  CHECK(eventually([&] { return find_service(server, "b")->total.finished == 1; }));
  CHECK(find_service(server, "b")->children_gone == 0);
}

TEST_CASE("the children of a service have no other service's scoreboard, mapped or open") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  for (const std::string name : {"a", "b"}) {
    const std::string other = name == "a" ? "/b" : "/a";
    const auto service = find_service(server, name);
    REQUIRE(service);
    for (const auto& slot : service->slots) {
      if (slot.pid == 0) continue;
      const std::string process = "/proc/" + std::to_string(slot.pid);
      const std::string maps = read_file(process + "/maps");
      CHECK(maps.find(server.scoreboard() + "/" + name) != std::string::npos);
      CHECK(maps.find(server.scoreboard() + other) == std::string::npos);
      CHECK(maps.find(server.scoreboard() + "/.server") == std::string::npos);
      for (const auto& open : std::filesystem::directory_iterator(process + "/fd")) {
        std::error_code gone;
        CHECK(std::filesystem::read_symlink(open, gone).string().find("scoreboard") == std::string::npos);
      }
    }
  }
}

TEST_CASE("a setting that needs a restart is reported with the file in which it has changed") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b", "listen-backlog = 20\n");
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("a", "listen-backlog = 10\n");
  directory.add_unix("b");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("a.conf:3: setting listen-backlog has changed; that needs a restart"));
  CHECK(server.wait_for_log("b.conf:3: setting listen-backlog has changed; that needs a restart"));
}

TEST_CASE("a reload says in one line what has changed, and nothing of the other services") {
  const Directory directory(one_child);
  for (const char* const name : {"a", "b", "c", "d"}) directory.add_unix(name);
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("b", "max-clients = 20\nidle-timeout = 1h\n");
  directory.remove("c");
  directory.add_unix("e");
  server.signal(SIGHUP);
  CHECK(server.wait_for_log(
      "reloaded: changed: c (removed), b (idle-timeout, max-clients), e (new); children"));
  for (const char* const unchanged : {"service a", "service d"}) CHECK(server.count_in_log(unchanged) <= 1);
  server.signal(SIGHUP);
  CHECK(server.wait_for_log("reloaded: no setting of a service has changed; children"));
}
