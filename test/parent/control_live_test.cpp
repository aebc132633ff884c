// SPDX-License-Identifier: MIT
// broodctl's orders to one service, and what they leave of the other one: start, stop, restart, pause, scale,
// retire, signal; and those to the whole server.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "controlled.hpp"
#include "process_table.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("list tells the services, a line each") {
  const Controlled two;
  REQUIRE(two.settles());
  const CtlAnswer answer = two.ask("list");
  CHECK(answer.code == 0);
  CHECK(answer.says("left     running     3/256     0      3    1  " + two.left().listeners));
  CHECK(answer.says("right    running"));
  CHECK(nlohmann::json::parse(two.ask("list --json").text)["services"][1]["name"] == "right");
}

TEST_CASE("status tells of one service") {
  const Controlled two;
  REQUIRE(two.settles());
  const CtlAnswer left = two.ask("status left");
  CHECK(left.code == 0);
  CHECK(left.says(two.left().listeners));
  CHECK_FALSE(left.says(two.right().listeners));
  const CtlAnswer none = two.ask("status lift");
  CHECK(none.code == 64);
  CHECK(none.says("has no service 'lift'; did you mean 'left'?"));
  CHECK(two.ask("pause right").code == 0);
  CHECK(two.ask("status right").code == 1);
  CHECK(two.ask("status left").code == 0);
}

TEST_CASE("list shows what is wrong with a service") {
  const Controlled two;
  REQUIRE(two.settles());
  CHECK_FALSE(two.ask("list").says("TROUBLE"));
  CHECK(two.ask("pause right").code == 0);
  const CtlAnswer answer = two.ask("list");
  CHECK(answer.code == 0);
  CHECK(answer.says("warning: paused: connections wait; to serve them: broodctl resume right\n"));
}

TEST_CASE("a service is stopped, the other goes on, and it is started again") {
  Controlled two;
  REQUIRE(two.settles());
  const auto right = Controlled::pids(two.right());
  const std::string address = two.left().listeners;
  Client client = two.to_left();
  REQUIRE(client.ask("echo hello") == "hello");
  BroodctlProcess stop(to(two.server, "stop left"));
  CHECK(eventually([&] { return two.left().state == ServiceState::stopping; }));
  CHECK(client.ask("echo still") == "still");  // its open connection is finished
  CHECK_FALSE(stop.has_ended());
  client.close();
  const CtlAnswer stopped = stop.wait();
  CHECK(stopped.code == 0);
  CHECK(stopped.text.starts_with("left: stopped, 3 of 3 children left in "));
  CHECK(two.left().state == ServiceState::stopped);
  CHECK(two.left().children() == 0);
  CHECK_THROWS_AS(Client{address}, ClientError);
  CHECK(two.to_right().ask("echo right") == "right");
  CHECK(two.ask("stop left").code == 0);
  CHECK(two.ask("status").code == 1);
  CHECK(two.ask("status").says("left: stopped by an order; to start it: broodctl start left"));

  const CtlAnswer started = two.ask("start left");
  CHECK(started.code == 0);
  CHECK(started.text.starts_with("left: running, "));
  CHECK(two.to_left().ask("echo again") == "again");
  CHECK(two.ask("start left").code == 0);
  CHECK(Controlled::pids(two.right()) == right);
}

TEST_CASE("with one service stopped and the other too, the server is still there") {
  Controlled two;
  CHECK(two.ask("stop left").code == 0);
  CHECK(two.ask("stop right").code == 0);
  CHECK(two.server.running());
  CHECK(two.server.children().empty());
  CHECK(two.ask("start right").code == 0);
  CHECK(two.to_right().ask("echo right") == "right");
  two.server.signal(SIGTERM);
  CHECK(two.server.wait_exit() == exited(0));
}

TEST_CASE("a service whose children fail at once says so when it is started") {
  const TemporaryDirectory place;
  write_file(place / "order", "\n");
  const Controlled two("child-start = " + (place / "order"));
  REQUIRE(two.ask("stop left").code == 0);
  write_file(place / "order", "exit 71\n");
  const CtlAnswer failing = two.ask("start left");
  CHECK(failing.code == 71);
  CHECK(failing.says("service left: children of generation 1 fail at once"));
  write_file(place / "order", "throw-configuration no such thing\n");
  CHECK(two.ask("reload left").code == 78);
  CHECK(eventually([&] { return two.left().state == ServiceState::failed; }));
  CHECK(two.ask("status").code == 2);
  write_file(place / "order", "\n");
  CHECK(two.ask("start left").code == 0);
  CHECK(two.to_left().ask("echo again") == "again");
}

TEST_CASE("no order is obeyed by settings with a mistake, and nothing changes") {
  const Controlled two;
  REQUIRE(two.settles());
  const auto before = Controlled::pids(two.left());
  const auto refused = [&](const char* mistake) {
    for (const std::string order : {"reload", "reload left", "check", "restart left", "restart right"}) {
      CAPTURE(order);
      const CtlAnswer answer = two.ask(order);
      CHECK(answer.code == 78);
      CHECK_MESSAGE(answer.says(mistake), answer.text);
      CHECK(answer.says("refused: nothing has changed"));
    }
    CHECK(Controlled::pids(two.left()) == before);
  };
  two.write("max-clients = many\n");
  refused("two.conf:7: left.max-clients = many is not a whole number");
  two.write("digits = seven\n");
  refused("two.conf:7: left.digits = seven ");
  // One that is stopped stays so.
  CHECK(two.ask("stop left").code == 0);
  CHECK(two.ask("start left").code == 78);
  CHECK(two.left().state == ServiceState::stopped);
  two.write("digits = 7\nword = again\n");
  CHECK(two.ask("start left").code == 0);
  CHECK(two.to_left().ask("word") == "again");
}

TEST_CASE("a service that starts again takes its settings, and those of the server wait for its restart") {
  const Controlled two("word = first\nfixed-word = first\nlisten-backlog = 10\n");
  REQUIRE(two.settles());
  const auto right = Controlled::pids(two.right());
  two.write("word = second\nfixed-word = second\nlisten-backlog = 20\n", "name = other\n");
  const CtlAnswer reload = two.ask("reload left");
  CHECK(
      reload.says("setting left.listen-backlog has changed; that needs a restart of service left: broodctl "
                  "restart left"));
  CHECK(reload.says("setting left.fixed-word has changed; that needs a restart of the server"));
  CHECK_FALSE(reload.says("setting name"));
  CHECK(two.to_left().ask("word") == "second");
  CHECK(two.ask("restart left").code == 0);
  CHECK(two.to_left().ask("fixed-word") == "first");
  CHECK(two.server.count_in_log("setting left.fixed-word has changed") == 2);
  const CtlAnswer again = two.ask("reload");
  CHECK_FALSE(again.says("listen-backlog"));
  CHECK(again.says("setting left.fixed-word has changed"));
  CHECK(again.says("setting name has changed; that needs a restart of the server"));
}

TEST_CASE("a restart goes on when its client has gone") {
  Controlled two;
  REQUIRE(two.settles());
  const auto before = Controlled::pids(two.left());
  CHECK(two.ask("restart left").code == 0);
  CHECK(Controlled::pids(two.left()) != before);
  Client client = two.to_left();
  REQUIRE(client.ask("echo hello") == "hello");
  BroodctlProcess restart(to(two.server, "restart left"));
  CHECK(eventually([&] { return two.left().state == ServiceState::stopping; }));
  restart.kill();
  client.close();
  CHECK(eventually([&] { return two.left().state == ServiceState::running; }));
  CHECK(two.to_left().ask("echo again") == "again");
}

TEST_CASE("a service whose listeners can't be opened again stays stopped, and says why") {
  const TemporaryDirectory place;
  std::filesystem::create_directory(place / "sockets");
  const Controlled two("listen = unix:" + (place / "sockets/left"));
  REQUIRE(two.settles());
  Client client("unix:" + (place / "sockets/left"));
  client.child();
  BroodctlProcess restart(to(two.server, "restart left"));
  CHECK(eventually([&] { return two.left().state == ServiceState::stopping; }));
  std::filesystem::remove_all(place / "sockets");
  client.close();
  const CtlAnswer answer = restart.wait();
  CHECK(answer.code == 71);
  CHECK(answer.says("No such file or directory"));
  CHECK(two.server.wait_for_log("service left: can't be started again, and stays stopped: "));
  CHECK(two.ask("start left").code == 71);
  CHECK(two.left().state == ServiceState::stopped);
  CHECK(two.to_right().ask("echo right") == "right");
  std::filesystem::create_directory(place / "sockets");
  CHECK(two.ask("start left").code == 0);
  CHECK(Client("unix:" + (place / "sockets/left")).ask("echo again") == "again");
}

TEST_CASE("while a service is paused its clients wait, and are served when it is resumed") {
  Controlled two;
  REQUIRE(two.settles());
  const CtlAnswer paused = two.ask("pause left");
  CHECK(paused.code == 0);
  CHECK(paused.text.starts_with("left: paused, 3 of 3 children left in "));
  Client waiting = two.to_left();
  waiting.send("echo served\n");
  two.server.signal(SIGHUP);
  CHECK(eventually([&] { return two.left().generation == 2; }));
  CHECK(stays([&] { return two.left().children() == 0; }, 200ms));  // paused it stays
  CHECK(two.ask("reload left").text.starts_with("left: paused, generation 3, 0 of 0 children replaced"));
  CHECK(two.ask("start left").code == 75);
  CHECK(two.ask("resume left").code == 0);
  CHECK(waiting.line() == "served");
  CHECK(two.ask("resume left").code == 0);
}

TEST_CASE("connections that wait at a paused service are served before the server ends") {
  Controlled two;
  REQUIRE(two.ask("pause left").code == 0);
  Client waiting = two.to_left();
  waiting.send("echo served\n");
  two.server.signal(SIGTERM);
  CHECK(waiting.line() == "served");
  waiting.close();
  CHECK(two.server.wait_exit() == exited(0));
}

TEST_CASE("a stopped service stays stopped at a reload, and starts with the new settings") {
  const Controlled two("word = old");
  REQUIRE(two.ask("stop left").code == 0);
  two.write("word = new");
  CHECK(two.ask("reload").code == 0);
  CHECK(two.left().state == ServiceState::stopped);
  CHECK(two.left().children() == 0);
  CHECK(two.ask("start left").code == 0);
  CHECK(two.to_left().ask("word") == "new");
}

TEST_CASE("limits are changed while running, marked, and those of the settings again after a reload") {
  const Controlled two;
  REQUIRE(two.settles());
  const CtlAnswer scaled = two.ask("scale left min-spare-servers=6 max-spare-servers=8");
  CHECK(scaled.code == 0);
  CHECK(scaled.says("min-spare-servers = 6, it was 2\n"));
  CHECK(eventually([&] { return two.left().idle >= 6; }));
  CHECK(two.left().scaled);
  CHECK_FALSE(two.right().scaled);
  CHECK(two.right().min_spare_servers == 2);
  CHECK(two.ask("status").says("the limits differ from the settings (scale)"));
  CHECK(two.ask("scale left max-clients=20").code == 0);
  CHECK(two.left().min_spare_servers == 6);  // both hold
  CHECK(two.left().generation == 1);
  CHECK(two.ask("reload left").code == 0);
  CHECK_FALSE(two.left().scaled);
  CHECK(two.left().min_spare_servers == 2);
  CHECK(two.left().max_clients == 256);
  // The same as the settings say is no difference.
  CHECK(two.ask("scale left max-clients=256").code == 0);
  CHECK_FALSE(two.left().scaled);
}

TEST_CASE("limits are refused in the words in which a file's are") {
  const Controlled two;
  for (const auto& [wrong, why] :
       {std::pair{"min-spare-servers=9", "scale: left.min-spare-servers = 9 exceeds max-spare-servers = 4"},
        std::pair{"max-clients=-1", "scale: left.max-clients = -1 is not a whole number without a sign"},
        std::pair{"graceful-timeout=soon", "scale: left.graceful-timeout = soon"},
        std::pair{"max-client=7", "did you mean 'max-clients'?"},
        std::pair{"listen=127.0.0.1:1", "'listen' is not a setting of left that can be scaled"},
        std::pair{"max-clients=5000", "exceeds the 512 slots"}}) {
    const CtlAnswer answer = two.ask("scale left " + std::string(wrong));
    CHECK(answer.code == 78);
    CHECK_MESSAGE(answer.says(why), answer.text);
  }
  CHECK_FALSE(two.left().scaled);
  CHECK(two.left().max_clients == 256);
  CHECK(two.ask("reload").code == 0);
}

TEST_CASE("a server of one service is scaled by its name") {
  const ServerProcess server;
  const std::string scale = to(server, "scale brood-test-server ");
  CHECK(broodctl(scale + "connection-timeout=1h max-clients=7").code == 0);
  CHECK(server.service().max_clients == 7);
  CHECK(server.service().generation == 1);
  CHECK(broodctl(scale + "max-spare-servers=4")
            .says("scale: min-spare-servers = 5 exceeds max-spare-servers = 4"));
  CHECK(broodctl(scale + "connection-idle-timeout=1h").code == 78);
}

TEST_CASE("limits that a child gets when it is forked need new children") {
  ServerOptions options;
  options.program = "brood-event-test-server";
  const ServerProcess server({}, options);
  CHECK(ask(server, "scale brood-event-test-server connection-idle-timeout=1h").code == 0);
  CHECK(server.reaches([](const auto& service) { return service.generation == 2 && service.idle > 0; }));
}

TEST_CASE("a child is retired when it is done, and replaced") {
  const Controlled two;
  REQUIRE(two.settles());
  Client client = two.to_left();
  const pid_t child = client.child();
  BroodctlProcess retire(to(two.server, "retire " + std::to_string(child)));
  CHECK(eventually([&] { return two.ask("status").says("retire"); }));
  CHECK(client.ask("leaving") == "yes");
  CHECK_FALSE(retire.has_ended());
  client.close();
  const CtlAnswer answer = retire.wait();
  CHECK(answer.code == 0);
  CHECK(answer.says("child " + std::to_string(child) + " of left has left after "));
  CHECK_FALSE(is_alive(child));
  CHECK(eventually([&] { return two.left().idle >= 2; }));
  CHECK(two.left().children_failed == 0);
  for (const std::string& stranger : {std::to_string(::getpid()), std::string("0"), std::string("x")})
    CHECK(two.ask("retire " + stranger).code == 64);
}

TEST_CASE("a signal goes to each child of the service") {
  const Controlled two;
  REQUIRE(two.settles());
  const auto right = Controlled::pids(two.right());
  CHECK(two.ask("signal left KILL").says("SIGKILL sent to 3 children of left"));
  CHECK(eventually([&] { return two.left().children_failed == 3; }));
  CHECK(Controlled::pids(two.right()) == right);
  for (const char* own : {"TERM", "SIGTERM", "15", "USR1"})
    CHECK(two.ask("signal right " + std::string(own)).code == 64);
  for (const char* wrong : {"FOO", "0", "99"})
    CHECK(two.ask("signal right " + std::string(wrong)).says("is no signal"));
}

TEST_CASE("the log is reopened") {
  const Controlled two;
  const std::string moved = two.server.log_path() + ".1";
  REQUIRE(std::rename(two.server.log_path().c_str(), moved.c_str()) == 0);
  CHECK(two.ask("reopen").code == 0);
  CHECK(two.to_left().ask("log in the new file") == "logged");
  CHECK(two.server.wait_for_log("in the new file"));
}

TEST_CASE("stop answers when the server is gone") {
  Controlled two;
  Client client = two.to_left();
  client.child();
  BroodctlProcess stop(to(two.server, "stop"));
  CHECK(eventually([&] { return two.server.snapshot().stopping; }));
  const CtlAnswer late = two.ask("reload");
  CHECK(late.code == 75);
  CHECK(late.says("the server is stopping"));
  CHECK(two.ask("list").code == 0);
  CHECK_FALSE(stop.has_ended());
  BroodctlProcess again(to(two.server, "stop"));
  CHECK(eventually([&] { return two.server.count_in_log(" asks: stop") == 2; }));
  CHECK(client.ask("echo still") == "still");
  client.close();
  CHECK(stop.wait().code == 0);
  CHECK_FALSE(two.server.running());
  CHECK(again.wait().code == 0);
  CHECK(two.server.wait_exit() == exited(0));
  CHECK(broodctl("stop " + to(two.server, "")).code == 69);
  CHECK(broodctl("stop --runtime-directory=/no/such/place").code == 69);
}

TEST_CASE("stop --now waits for nobody") {
  Controlled two;
  Client client = two.to_left();
  client.child();
  CHECK(two.ask("stop --now").code == 0);
  CHECK_FALSE(two.server.running());
}

TEST_CASE("an order with a wrong word is refused, and the word is named") {
  const Controlled two;
  const CtlAnswer answer = two.ask("reload lefd");
  CHECK(answer.code == 64);
  CHECK(answer.says("unknown service 'lefd'; did you mean 'left'?"));
  CHECK(two.ask("pause '\x1b[31m'").says("unknown service"));
  CHECK(two.server.log().find('\x1b') == std::string::npos);
}
