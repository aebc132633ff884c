// SPDX-License-Identifier: MIT
// broodctl reload and check: one service or all, under load, refused, and when the new children fail.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "controlled.hpp"
#include "load.hpp"
#include "process_table.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A reload of left that still waits for one child: the one that serves `client`.
struct Waiting {
  Waiting() {
    CHECK(eventually([&] { return two.left().generation == 2 && two.left().children_gone == 2; }));
  }
  Controlled two;
  Client client{open_connections(two)};
  BroodctlProcess reload{to(two.server, "reload left")};

 private:
  static Client open_connections(const Controlled& two) {
    REQUIRE(two.settles());
    Client client = two.to_left();
    client.child();
    return client;
  }
};

}  // namespace

TEST_CASE("a reload of one of two services leaves the other's children") {
  const Controlled two("word = old");
  REQUIRE(two.settles());
  const auto left = Controlled::pids(two.left()), right = Controlled::pids(two.right());
  two.write("word = new");
  const CtlAnswer answer = two.ask("reload left");
  CHECK(answer.code == 0);
  CHECK(answer.text.starts_with("left: generation 2, 3 of 3 children replaced in "));
  CHECK(answer.text.ends_with(", 0 connections, 0 lost\n"));
  CHECK(two.to_left().ask("word") == "new");
  CHECK(Controlled::pids(two.right()) == right);
  CHECK(two.right().generation == 1);
  for (const pid_t pid : Controlled::pids(two.left())) CHECK(std::ranges::count(left, pid) == 0);
}

TEST_CASE("a reload of all tells of each") {
  const Controlled two;
  REQUIRE(two.settles());
  const auto json = nlohmann::json::parse(two.ask("reload --json").text);
  CHECK(json["code"] == 0);
  REQUIRE(json["answer"].size() == 2);
  for (const auto& service : json["answer"]) {
    CHECK(service["generation"] == 2);
    CHECK(service["before"] == 3);
    CHECK(service["gone"] == 3);
  }
}

TEST_CASE("a reload is over when the last child of an older generation has left") {
  Waiting it;
  CHECK(it.client.ask("echo still") == "still");
  CHECK_FALSE(it.reload.has_ended());
  it.client.close();
  const CtlAnswer answer = it.reload.wait();
  CHECK(answer.code == 0);
  CHECK(answer.says("3 of 3 children replaced"));
}

TEST_CASE("a reload waits for the drain of a listener that is no longer named") {
  const Controlled two;
  REQUIRE(two.settles());
  const TemporaryDirectory place;
  two.write("listen = unix:" + (place / "left.socket"));
  REQUIRE(two.ask("reload left").code == 0);
  two.write("");
  CHECK(two.ask("reload left").code == 0);
  CHECK_THROWS_AS(Client{"unix:" + (place / "left.socket")}, ClientError);
}

TEST_CASE("under load the figures of reloads add up, and nobody is lost") {
  const Controlled two;
  REQUIRE(two.settles());
  Load load(two.left().listeners, 8);
  REQUIRE(load.more_answers(100));
  std::uint64_t told = 0;
  for (int i = 0; i < 5; ++i) {
    const auto json = nlohmann::json::parse(two.ask("reload left --json").text);
    const auto& service = json["answer"][0];
    CHECK(json["code"] == 0);
    CHECK(service["generation"] == i + 2);
    CHECK(service["gone"] == service["before"]);
    CHECK(service["lost"] == 0);
    told += service["connections"].get<std::uint64_t>();
  }
  REQUIRE(load.more_answers(100));
  const LoadFigures figures = load.stop();
  CHECK(figures.failed() == 0);
  CHECK(eventually([&] { return two.left().total.finished == figures.answered; }));
  CHECK(told <= figures.answered);
  CHECK(told > 0);
}

TEST_CASE("connections that are lost during a reload are reported") {
  Waiting it;
  it.client.send("crash\n");
  CHECK(it.reload.wait().text.ends_with(", 0 connections, 1 lost\n"));
}

TEST_CASE("wrong settings are reported with their place, and change nothing") {
  const Controlled two("word = old");
  REQUIRE(two.settles());
  const auto left = Controlled::pids(two.left());
  two.write("word = new\nmax-client = 5", "start-servers = many");
  for (const char* order : {"reload", "reload left", "check"}) {
    const CtlAnswer answer = two.ask(order);
    CHECK(answer.code == 78);
    CHECK(answer.says("two.conf:8: unknown setting 'left.max-client'; did you mean 'left.max-clients'?"));
    CHECK(answer.says("two.conf:4: start-servers is already set"));
    CHECK(answer.says("refused: nothing has changed"));
  }
  CHECK(Controlled::pids(two.left()) == left);
  CHECK(two.left().generation == 1);
  CHECK(two.to_left().ask("word") == "old");
  two.write("word = new");
  CHECK(two.ask("check").text == "settings: no mistakes found\n");
  CHECK(two.to_left().ask("word") == "old");
  two.write("max-clients = 5000");
  CHECK(two.ask("check").says("exceeds the 512 slots"));
}

TEST_CASE("if one service can't open its new listener, no service has changed") {
  const Controlled two("word = old");
  REQUIRE(two.settles());
  const TemporaryDirectory place;
  const std::string left = two.left().listeners;
  write_file(two.settings(), "[left]\nlisten = unix:" + (place / "left") +
                                 "\n[right]\nlisten = unix:" + (place / "no/right") + "\n");
  const CtlAnswer answer = two.ask("reload");
  CHECK(answer.code == 71);
  CHECK(answer.says("No such file or directory"));
  CHECK(two.left().generation == 1);
  CHECK(two.left().listeners == left);
  CHECK(two.to_left().ask("word") == "old");
  CHECK_FALSE(std::filesystem::exists(place / "left"));
}

TEST_CASE("a reload whose children fail at once says so, and the old ones go on") {
  const TemporaryDirectory place;
  write_file(place / "order", "\n");
  const Controlled two("child-start = " + (place / "order"));
  REQUIRE(two.settles());
  write_file(place / "order", "exit 71\n");
  const CtlAnswer answer = two.ask("reload left");
  CHECK(answer.code == 71);
  CHECK(answer.says("left: generation 2, 0 of 3 children replaced"));
  CHECK(answer.says("service left: children of generation 2 fail at once"));
  CHECK(two.to_left().ask("echo still") == "still");
  write_file(place / "order", "\n");
  CHECK(two.ask("reload left").code == 0);
}
