// SPDX-License-Identifier: MIT
// `brood` under orders: what concerns one service of many concerns it alone.
#include "brood_directory.hpp"
#include "broodctl.hpp"

using namespace brood;
using namespace brood::test;

namespace {

const char* const one_child = "start-servers = 1\nmin-spare-servers = 1\nmax-spare-servers = 2\n";

CtlAnswer ask(const ServerProcess& server, const std::string& order) {
  return broodctl("--server=" + server.scoreboard() + " " + order);
}

}  // namespace

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
  CHECK(all.says("b.conf:3: max-clients = many is not a number"));
  CHECK(find_service(server, "a")->generation == 2);
  CHECK(find_service(server, "b")->generation == 1);
  const CtlAnswer one = ask(server, "reload b");
  CHECK(one.code == 78);
  CHECK(one.says("b.conf:3: max-clients = many is not a number"));
  CHECK(ask(server, "reload a").code == 0);
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
