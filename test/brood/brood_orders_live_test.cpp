// SPDX-License-Identifier: MIT
// `brood` under orders that concern services of each kind, and such as come and go.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "brood_directory.hpp"
#include "broodctl.hpp"

using namespace brood;
using namespace brood::test;

namespace {

struct Kind {
  std::string name, settings, question;
};

const std::vector<Kind> kinds = {
    {"echo", "built-in = echo\n", "hello"},
    {"slot", "command = " + program_path("brood-test-server") + "\ncommand-gets = slot\n", "echo hello"},
    {"python", "command = " + example_path("listen_fds.py") + "\ncommand-gets = listeners\n", "hello"},
    {"shell", "command = /bin/cat\ncommand-gets = connection\n", "hello"}};

void add(const Directory& directory, const Kind& kind, const std::string& more = "") {
  directory.write(kind.name, kind.settings + "listen = " + directory.address(kind.name) + "\n" + more);
}

bool serves(const Directory& directory, const Kind& kind) {
  return answers(directory.address(kind.name), kind.question, "hello");
}

}  // namespace

TEST_CASE("services of each kind are stopped, started, restarted, paused and resumed") {
  const Directory directory(two_children);
  for (const Kind& kind : kinds) add(directory, kind);
  const ServerProcess server(in(directory), brood_options());
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const auto its = [&](const std::string& order) {
      const CtlAnswer answer = ask(server, order + " " + kind.name);
      CHECK_MESSAGE(answer.code == 0, order << ": " << answer.text);
      return answer;
    };
    REQUIRE(serves(directory, kind));
    const bool reports = kind.name != "python";
    CHECK(find_service(server, kind.name)->counts_connections == reports);
    CHECK(ask(server, "status " + kind.name).says("its program does not report them") != reports);
    CHECK(ask(server, "top --once " + kind.name).says("its program does not report them") != reports);
    const auto first = pids_of(server, kind.name);
    const CtlAnswer stopped = its("stop");
    CHECK(stopped.says(kind.name + ": stopped, "));
    CHECK(stopped.says("connections are not reported") != reports);
    CHECK(pids_of(server, kind.name).empty());
    for (const pid_t pid : first) CHECK_FALSE(is_alive(pid));
    CHECK_FALSE(serves(directory, kind));
    CHECK_FALSE(std::filesystem::exists(directory.path() + "/" + kind.name + ".sock"));
    CHECK(its("start").says(kind.name + ": running, "));
    CHECK(serves(directory, kind));
    const auto second = pids_of(server, kind.name);
    its("restart");
    CHECK(serves(directory, kind));
    for (const pid_t pid : second) CHECK_FALSE(is_alive(pid));
    its("pause");
    CHECK(pids_of(server, kind.name).empty());
    Client waiting(directory.address(kind.name));
    waiting.send(kind.question + "\n");
    its("resume");
    CHECK(waiting.line() == "hello");
    waiting.close();
  }
  for (const Kind& kind : kinds) CHECK(find_service(server, kind.name)->state == ServiceState::running);
}

TEST_CASE("a stop closes the port although a program keeps the listener") {
  const Directory directory(two_children);
  const TemporaryDirectory place;
  write_file(place / "keeps.py",
             "import signal, socket, time\n"
             "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
             "listener = socket.socket(fileno=3)\n"
             "connection, _ = listener.accept()\n"
             "connection.send(b'hello\\n')\n"
             "time.sleep(600)\n");
  add(directory, {"keeps",
                  "command = /usr/bin/env python3 " + (place / "keeps.py") +
                      "\ncommand-gets = listeners\nstart-servers = 1\nlisten = 127.0.0.1:0\n",
                  ""});
  const ServerProcess server(in(directory), brood_options());
  const std::string listeners = find_service(server, "keeps")->listeners;
  const std::string address = listeners.substr(0, listeners.find(' '));
  REQUIRE(address.starts_with("127.0.0.1:"));
  Client client(address);
  REQUIRE(client.line() == "hello");
  const pid_t child = pids_of(server, "keeps").at(0);
  BroodctlProcess stop(to(server, "stop keeps"));
  CHECK(eventually([&] { return refuses(address, ""); }));
  CHECK(is_alive(child));
  CHECK_FALSE(stop.has_ended());
  ::kill(child, SIGKILL);
  CHECK(stop.wait().says("keeps: stopped, "));
}

TEST_CASE("the start of a program that takes the listeners is answered when it has lasted") {
  const Directory directory(two_children);
  add(directory, {"a", "command = /bin/false\ncommand-gets = listeners\n", ""});
  add(directory, {"b", "command = /bin/sleep 1000\ncommand-gets = listeners\n", ""});
  const ServerProcess server(in(directory), brood_options());
  for (const std::string order : {"restart", "reload"}) {
    CAPTURE(order);
    const CtlAnswer fails = ask(server, order + " a");
    CHECK(fails.code == 71);
    CHECK(fails.says("service a: children of generation"));
    CHECK(fails.says("fail at once"));
    CHECK(ask(server, order + " b").code == 0);
  }
}

TEST_CASE("services of each kind are scaled, their children retired and sent signals") {
  const Directory directory(two_children);
  for (const Kind& kind : kinds) add(directory, kind);
  const ServerProcess server(in(directory), brood_options());
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    REQUIRE(serves(directory, kind));
    CHECK(ask(server, "scale " + kind.name + " start-servers=3").code == 0);
    CHECK(find_service(server, kind.name)->scaled);
    const auto before = pids_of(server, kind.name);
    const CtlAnswer retired = ask(server, "retire " + std::to_string(before.at(0)));
    CHECK_MESSAGE(retired.code == 0, retired.text);
    CHECK_FALSE(is_alive(before.at(0)));
    CHECK(serves(directory, kind));
    const auto failed = find_service(server, kind.name)->children_failed;
    // None is on its way out: it might leave before it is killed.
    REQUIRE(eventually([&] {
      const auto its = find_service(server, kind.name);
      return its->starting == 0 && its->leaving == 0;
    }));
    const std::string killed = ask(server, "signal " + kind.name + " KILL").text;
    REQUIRE(killed.starts_with("SIGKILL sent to "));
    const auto number = std::stoul(killed.substr(std::string("SIGKILL sent to ").size()));
    CHECK(eventually([&] { return find_service(server, kind.name)->children_failed >= failed + number; }));
    CHECK(serves(directory, kind));
  }
}

TEST_CASE("a setting that a kind of service does not have is not scaled") {
  const Directory directory(two_children);
  for (const Kind& kind : kinds) add(directory, kind);
  const ServerProcess server(in(directory), brood_options());
  const auto refuses = [&](const std::string& kind, const std::string& setting) {
    const CtlAnswer answer = ask(server, "scale " + kind + " " + setting + "=100");
    CHECK(answer.code == 78);
    CHECK_MESSAGE(answer.says("scale: '" + setting + "' is not a setting of " + kind + " that can be scaled"),
                  answer.text);
    CHECK_FALSE(find_service(server, kind)->scaled);
  };
  for (const char* kind : {"echo", "python", "shell"})
    for (const char* setting : {"max-connections-per-child", "connection-idle-timeout"})
      refuses(kind, setting);
  for (const char* setting : {"max-clients", "min-spare-servers", "idle-timeout", "max-requests-per-child"})
    refuses("python", setting);
  CHECK(ask(server, "scale slot max-connections-per-child=100").code == 0);
  for (const Kind& kind : kinds)
    CHECK(ask(server, "scale " + kind.name + " graceful-timeout=100ms").code == 0);
}

TEST_CASE("killed with open connections, it leaves every address to the next server") {
  const Directory directory(two_children);
  for (const Kind& kind : kinds) add(directory, kind);
  ServerProcess server(in(directory), brood_options());
  std::vector<Client> held;
  for (const Kind& kind : kinds) {
    held.emplace_back(directory.address(kind.name));
    REQUIRE(held.back().ask(kind.question) == "hello");
  }
  server.signal(SIGKILL);
  CHECK(server.wait_exit() == killed_by(SIGKILL));
  const ServerProcess next(in(directory), brood_options());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    CAPTURE(kinds[i].name);
    CHECK(serves(directory, kinds[i]));
    CHECK(held[i].ask(kinds[i].question) == "hello");
  }
}

TEST_CASE("a service of datagrams is restarted beside others") {
  const Directory directory(two_children);
  directory.add_unix("a");
  directory.write("udp", "command = " + program_path("brood-datagram-test-server") +
                             "\nlisten = udp:127.0.0.1:0\nlisten = udp:127.0.0.2:" +
                             std::to_string(20'000 + ::getpid() % 10'000) + "\n");
  const ServerProcess server(in(directory), brood_options());
  REQUIRE(answers(directory.address("a")));
  for (int i = 0; i < 3; ++i) {
    const CtlAnswer answer = ask(server, "restart udp");
    CHECK_MESSAGE(answer.code == 0, answer.text);
  }
  CHECK(answers(directory.address("a")));
}

TEST_CASE("a reload by name takes a file that is new, lets one go that is gone, and leaves the others") {
  const Directory directory(two_children);
  directory.add_unix("a");
  const ServerProcess server(in(directory), brood_options());
  REQUIRE(answers(directory.address("a")));
  const auto others = pids_of(server, "a");
  CHECK(ask(server, "reload b").code == 64);
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    add(directory, kind);
    const CtlAnswer come = ask(server, "reload " + kind.name);
    CHECK_MESSAGE(come.code == 0, come.text);
    CHECK(come.says(kind.name + ": "));
    CHECK(serves(directory, kind));
    add(directory, kind, "max-clients = many\n");
    const CtlAnswer wrong = ask(server, "reload " + kind.name);
    CHECK(wrong.code == 78);
    CHECK(wrong.says(".conf:"));
    CHECK(wrong.says("max-clients = many is not a whole number"));
    CHECK(serves(directory, kind));
    add(directory, kind, "max-clients = 33\n");
    CHECK(ask(server, "reload " + kind.name).code == 0);
    CHECK(find_service(server, kind.name)->generation == 2);
    directory.remove(kind.name);
    const CtlAnswer gone = ask(server, "reload " + kind.name);
    CHECK_MESSAGE(gone.code == 0, gone.text);
    CHECK_FALSE(find_service(server, kind.name));
    CHECK_FALSE(serves(directory, kind));
    const CtlAnswer unknown = ask(server, "stop " + kind.name);
    CHECK(unknown.code == 64);
    CHECK(unknown.says("unknown service '" + kind.name + "'"));
  }
  CHECK(pids_of(server, "a") == others);
  CHECK(find_service(server, "a")->generation == 1);
}

TEST_CASE("a service that was stopped or paused by an order goes with its file, and comes back running") {
  const Directory directory(two_children);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  for (const char* order : {"stop b", "pause b"}) {
    CAPTURE(order);
    REQUIRE(ask(server, order).code == 0);
    directory.remove("b");
    CHECK(ask(server, "reload").code == 0);
    CHECK_FALSE(find_service(server, "b"));
    CHECK(ask(server, "upgrade --json").code == 0);
    directory.add_unix("b");
    CHECK(ask(server, "reload").code == 0);
    CHECK(find_service(server, "b")->state == ServiceState::running);
    CHECK(answers(directory.address("b")));
  }
}

TEST_CASE("a reload that removes a service is answered when the open connections are finished") {
  const Directory directory(two_children);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  Client client(directory.address("b"));
  REQUIRE(client.ask("one") == "one");
  directory.remove("b");
  BroodctlProcess reload(to(server, "reload"));
  REQUIRE(server.wait_for_log("service b: is no longer configured"));
  CHECK(client.ask("two") == "two");
  CHECK(stays([&] { return !reload.has_ended(); }, 100ms));
  client.close();
  const CtlAnswer answer = reload.wait();
  CHECK_MESSAGE(answer.code == 0, answer.text);
  CHECK_FALSE(find_service(server, "b"));
}

TEST_CASE("entries that are kept for others, and such as were left, are told by nobody") {
  const Directory directory(two_children);
  for (const char* name : {"a", "b", "c"}) directory.add_unix(name);
  const ServerProcess server(in(directory), brood_options());
  directory.remove("b");
  REQUIRE(ask(server, "reload").code == 0);
  REQUIRE(eventually([&] { return !find_service(server, "b"); }));
  const auto names = [&](const std::string& order) {
    std::vector<std::string> all;
    const auto told = nlohmann::json::parse(ask(server, order + " --json").text);
    for (const auto& service : told["services"]) all.push_back(service["name"]);
    std::ranges::sort(all);
    return all;
  };
  CHECK(names("list") == std::vector<std::string>{"a", "c"});
  CHECK(names("status") == std::vector<std::string>{"a", "c"});
  CHECK(ask(server, "status").code == 0);
  directory.add_unix("d");
  REQUIRE(ask(server, "reload d").code == 0);
  CHECK(names("list") == std::vector<std::string>{"a", "c", "d"});
  CHECK(ask(server, "upgrade").code == 0);
  CHECK(names("list") == std::vector<std::string>{"a", "c", "d"});
  CHECK(names("status") == std::vector<std::string>{"a", "c", "d"});
  CHECK(ask(server, "reload").code == 0);
}
