// SPDX-License-Identifier: MIT
// `brood` under orders: what concerns one service of many concerns it alone.
#include <nlohmann/json.hpp>

#include "brood_directory.hpp"
#include "broodctl.hpp"

using namespace brood;
using namespace brood::test;

TEST_CASE("a reload of 1 of 20 services leaves the other 19 as they are") {
  const Directory directory(one_child);
  std::vector<std::string> others;
  for (int i = 10; i < 29; ++i) directory.add_unix(others.emplace_back("s" + std::to_string(i)));
  directory.add_unix("imap");
  const ServerProcess server(in(directory), brood_options());
  std::vector<pid_t> before;
  for (const auto& name : others) before.push_back(pids_of(server, name).at(0));
  const auto its = pids_of(server, "imap");
  directory.add_unix("imap", "max-clients = 30\n");
  const CtlAnswer answer = ask(server, "reload imap");
  CHECK(answer.code == 0);
  CHECK(pids_of(server, "imap") != its);
  CHECK(find_service(server, "imap")->max_clients == 30);
  std::vector<pid_t> after;
  for (const auto& name : others) after.push_back(pids_of(server, name).at(0));
  CHECK(after == before);
}

TEST_CASE("a reload tells whoever ordered it of mistakes, and of nobody that it left alone") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("b", "max-clients = many\n");
  const CtlAnswer all = ask(server, "reload");
  CHECK(all.code == 78);
  CHECK(all.says("b.conf:3: max-clients = many is not a whole number"));
  CHECK(find_service(server, "a")->generation == 2);
  CHECK(find_service(server, "b")->generation == 1);
  const CtlAnswer one = ask(server, "reload b");
  CHECK(one.code == 78);
  CHECK(one.says("b.conf:3: max-clients = many is not a whole number"));
  CHECK(ask(server, "reload a").code == 0);
}

TEST_CASE("a reload names the services that have changed, and counts the others") {
  const Directory directory(one_child);
  for (const char* const name : {"a", "b", "c", "d", "e"}) directory.add_unix(name);
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("b", "max-clients = 30\n");
  directory.add_unix("new");
  directory.add_unix("e", "max-clients = many\n");
  directory.remove("d");
  const CtlAnswer answer = ask(server, "reload");
  CHECK(answer.code == 78);
  CHECK(answer.says("b: generation 2, 1 of 1 child replaced in "));
  CHECK(answer.says("new: running, 1 child in "));
  CHECK(answer.says("d: ended; it is no service any more\n"));
  CHECK(answer.says("e.conf:3: max-clients = many is not a whole number"));
  CHECK(answer.says("2 services without a change: 2 of 2 children replaced in "));
  CHECK_FALSE(answer.says("a: "));
  CHECK_FALSE(answer.says("c: "));
  const auto json = nlohmann::json::parse(ask(server, "reload b --json").text);
  CHECK(json["answer"][0]["changed"] == "");
}

TEST_CASE("a reload tells whoever ordered it of a setting that needs a restart") {
  const Directory directory(one_child);
  directory.add_unix("a");
  directory.add_unix("b");
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("a", "listen-backlog = 10\n");
  const CtlAnswer answer = ask(server, "reload");
  CHECK(answer.code == 0);
  CHECK(answer.says("a.conf:3: setting listen-backlog has changed; that needs a restart"));
  CHECK(answer.says("2 services without a change: 2 of 2 children replaced in "));
  const auto json = nlohmann::json::parse(ask(server, "reload a --json").text);
  CHECK(json["answer"][0]["kind"] == "waits");
  CHECK(ask(server, "reload b").text.starts_with("b: generation"));
}

TEST_CASE("limits of a service are scaled, and checked like its file") {
  const Directory directory(one_child);
  directory.add_unix("a");
  const ServerProcess server(in(directory), brood_options());
  CHECK(ask(server, "scale a max-clients=33").code == 0);
  CHECK(find_service(server, "a")->max_clients == 33);
  CHECK(ask(server, "scale a max-clients=many").code != 0);
  CHECK(answers(directory.address("a")));
}

TEST_CASE("an unknown name is reported, with the one that may have been meant") {
  const Directory directory(one_child);
  directory.add_unix("imap");
  const ServerProcess server(in(directory), brood_options());
  const CtlAnswer answer = ask(server, "reload imam");
  CHECK(answer.code == 64);
  CHECK(answer.says("unknown service 'imam'; did you mean 'imap'?"));
  CHECK(find_service(server, "imap")->generation == 1);
}

TEST_CASE("over an upgrade a service stays paused, or stopped, and scaled limits don't") {
  const Directory directory(one_child);
  for (const char* name : {"a", "b", "c"}) directory.add_unix(name);
  const ServerProcess server(in(directory), brood_options());
  REQUIRE(ask(server, "pause a").code == 0);
  REQUIRE(ask(server, "stop b").code == 0);
  REQUIRE(ask(server, "scale c max-clients=33").code == 0);
  const CtlAnswer answer = ask(server, "upgrade");
  CHECK(answer.code == 0);
  CHECK(answer.says("of 3 service(s)"));
  CHECK(find_service(server, "a")->state == ServiceState::paused);
  CHECK(find_service(server, "b")->state == ServiceState::stopped);
  CHECK(find_service(server, "b")->listeners == directory.address("b"));
  CHECK(find_service(server, "c")->max_clients == 256);
  CHECK_FALSE(find_service(server, "c")->scaled);
  CHECK(ask(server, "resume a").code == 0);
  CHECK(ask(server, "start b").code == 0);
  for (const char* name : {"a", "b", "c"}) CHECK(answers(directory.address(name)));
}

TEST_CASE("a refused upgrade reports what the new program has printed") {
  const Directory directory(one_child);
  directory.add_unix("a");
  const ServerProcess server(in(directory), brood_options());
  directory.add_unix("a", "max-clients = many\n");
  const CtlAnswer answer = ask(server, "upgrade");
  CHECK(answer.code == 71);
  CHECK(answer.says("--test-config exited with code 78: "));
  CHECK(answer.says("a.conf:3: max-clients = many is not a whole number"));
  CHECK(answers(directory.address("a")));
}
