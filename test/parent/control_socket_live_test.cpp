// SPDX-License-Identifier: MIT
// The control socket against foreign users, nonsense, slow clients and silent ones. The server goes on, does
// not wake without a cause, and leaves no file behind.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>

#include "controlled.hpp"

using namespace brood;
using namespace brood::test;

namespace fs = std::filesystem;

namespace {

constexpr uid_t nobody = 65534;

std::string socket_of(const ServerProcess& server) {
  return fs::path(server.scoreboard()).replace_extension(".control");
}

Client connect(const ServerProcess& server) { return Client("unix:" + socket_of(server)); }

std::string reply(const ServerProcess& server, const std::string& request) {
  Client client = connect(server);
  try {
    client.send(request);
  } catch (const ClientError&) {  // it was answered before all of it had come
  }
  return client.line();
}

std::size_t open_descriptors(pid_t pid) {
  const fs::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

// When it has become ready, it may read files for a moment.
std::size_t descriptors_at_rest(pid_t pid) {
  return at_rest(pid, [pid] { return open_descriptors(pid); });
}

// The number that the next descriptor would have.
rlim_t first_free_descriptor(pid_t pid) {
  rlim_t number = 0;
  while (fs::is_symlink("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(number))) ++number;
  return number;
}

// Every socket that is bound there or came from there, as /proc/net/unix has them.
std::vector<std::string> sockets_at(const std::string& path) {
  std::vector<std::string> inodes;
  std::istringstream lines(read_file("/proc/net/unix"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, inode;
    for (int i = 0; i < 7; ++i) words >> inode;
    // It was bound under a name of its own, and renamed.
    if (words >> word && word.starts_with(path)) inodes.push_back("socket:[" + inode + "]");
  }
  return inodes;
}

bool has_socket(pid_t pid, const std::vector<std::string>& inodes) {
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (std::ranges::count(inodes, target) > 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the socket is for its owner alone, and is gone with the server") {
  ServerProcess server;
  struct stat status {};
  REQUIRE(::stat(socket_of(server).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(status.st_uid == ::geteuid());
  CHECK(reply(server, "check\n") == "done code=0 message=");
  server.signal(SIGTERM);
  REQUIRE(server.wait_exit() == exited(0));
  CHECK_FALSE(fs::exists(socket_of(server)));
  CHECK(fs::is_empty(server.directory().path()) == false);  // but for the log and what the test made
  for (const auto& entry : fs::directory_iterator(server.directory().path()))
    CHECK(entry.path().string().find(".control") == std::string::npos);
}

TEST_CASE("a successor's socket is left alone") {
  ServerProcess server;
  fs::remove(socket_of(server));
  write_file(socket_of(server), "a successor's");
  server.signal(SIGTERM);
  REQUIRE(server.wait_exit() == exited(0));
  CHECK(read_file(socket_of(server)) == "a successor's");
}

TEST_CASE("a socket that a killed parent has left is replaced") {
  const TemporaryDirectory place;
  const std::string runtime = "--runtime-directory=" + place.path();
  ServerOptions options;
  options.runtime_directory = false;
  ServerProcess first({runtime}, options);
  first.signal(SIGKILL);
  REQUIRE(first.wait_exit() == killed_by(SIGKILL));
  CHECK(broodctl(runtime + " reload").code == 69);
  ServerProcess second({runtime}, options);
  CHECK(broodctl(runtime + " reload").code == 0);
  CHECK(second.service().generation == 2);
}

TEST_CASE("without a runtime directory there is nobody to ask") {
  ServerOptions options;
  options.runtime_directory = false;
  const ServerProcess server({"--runtime-directory=none"}, options);
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(sockets_at("/").size() < 100'000);
  CHECK_FALSE(has_socket(server.pid(), sockets_at("/")));
}

TEST_CASE("a name that is too long for a socket costs the orders, and nothing else") {
  const TemporaryDirectory place;
  const std::string deep = place / std::string(100, 'd');
  fs::create_directory(deep);
  ServerOptions options;
  options.runtime_directory = false;
  const ServerProcess server({"--runtime-directory=" + deep}, options);
  CHECK(server.wait_for_log("broodctl can show the status of this server, but give no orders"));
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(broodctl("status --runtime-directory=" + deep).code == 0);
  CHECK(broodctl("reload --runtime-directory=" + deep).code == 69);
}

TEST_CASE("nonsense is answered, and does no harm") {
  const ServerProcess server;
  for (const std::string& nonsense :
       {std::string("\n"), std::string("%GG\n"), std::string(" \n"), std::string("reload service\n"),
        std::string("\0\xff\n", 3), std::string("nothing\n"), std::string("retire pid=99999999999999\n"),
        std::string("scale =\n"), std::string("reload service=\n"),
        std::string("signal service=brood-test-server signal=\n")}) {
    const std::string answer = reply(server, nonsense);
    CHECK_MESSAGE(answer.starts_with("done code=64 message="), nonsense, ": ", answer);
  }
  CHECK(reply(server, std::string(5000, 'x'))
            .starts_with("done code=64 message=a%20request%20has%20at%20most"));
  CHECK(reply(server, "check " + std::string(4096, 'x') + '\n').starts_with("done code=64"));
  Client halves = connect(server);
  halves.send("che");
  halves.send("ck\n");
  CHECK(halves.line() == "done code=0 message=");
  CHECK(halves.ending() == Ending::closed);
  for (int i = 0; i < 100; ++i) connect(server).send(i % 2 == 0 ? "" : "chec");
  CHECK(ask(server, "reload").code == 0);
  CHECK(server.service().children_failed == 0);
}

TEST_CASE("an order is obeyed though nobody waits for the answer") {
  const ServerProcess server;
  connect(server).send("reload\n");
  CHECK(eventually([&] { return server.service().generation == 2; }));
  CHECK(eventually([&] { return server.log().find("control: reload, asked by user") != std::string::npos; }));
}

TEST_CASE("the log has the outcome of each order") {
  const ServerProcess server;
  const auto logs = [&](const std::string& outcome) {
    return eventually([&] { return server.log().find(outcome) != std::string::npos; });
  };
  const std::string by = ", asked by user " + std::to_string(::geteuid()) + ", process ";
  CHECK(ask(server, "reload").code == 0);
  CHECK(logs("control: reload" + by));
  CHECK(logs(": done\n"));
  CHECK(ask(server, "retire 1").code != 0);
  CHECK(logs("control: retire pid=1" + by));
  CHECK(logs(": code 64: "));
}

TEST_CASE("a client that has shut down its sending side still gets the answer") {
  const ServerProcess server;
  auto held = server.hold(1);
  Client client = connect(server);
  client.send("reload\n");
  client.finish_sending();
  CHECK(server.reaches([](const auto& service) { return service.leaving == 1 && service.idle >= 5; }));
  held.clear();
  CHECK(client.line().starts_with("service name=brood-test-server "));
}

TEST_CASE("a parent without descriptors answers when it has some again") {
  const ServerProcess server;
  descriptors_at_rest(server.pid());
  const rlimit few{.rlim_cur = first_free_descriptor(server.pid()), .rlim_max = 1024};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &few, nullptr) == 0);
  Client client = connect(server);
  client.send("check\n");
  CHECK(stays([&] { return first_free_descriptor(server.pid()) == few.rlim_cur; }, 200ms));
  const rlimit enough{.rlim_cur = 1024, .rlim_max = 1024};
  REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &enough, nullptr) == 0);
  CHECK(client.line() == "done code=0 message=");
}

TEST_CASE("the silent are dropped, and too many are told so") {
  const ServerProcess server;
  const std::size_t before = descriptors_at_rest(server.pid());
  std::vector<Client> silent;
  for (int i = 0; i < 16; ++i) silent.push_back(connect(server));
  CHECK(connect(server).line().starts_with("done code=75 message=too%20many"));
  CHECK(ask(server, "check").code == 75);
  CHECK(open_descriptors(server.pid()) > before);
  CHECK(eventually([&] { return open_descriptors(server.pid()) == before; }));
  CHECK(ask(server, "check").code == 0);
}

TEST_CASE("a client that does not read a long answer is dropped, and holds up no other one") {
  const TemporaryDirectory place;
  write_file(place / "settings", "\n");
  const ServerProcess server({"--config=" + (place / "settings")});
  std::string wrong;
  for (int i = 0; i < 5'000; ++i) wrong += "no-such = 1\n";
  write_file(place / "settings", wrong);
  const std::size_t before = descriptors_at_rest(server.pid());
  Client deaf = connect(server);
  deaf.send("check\n");
  CHECK(eventually([&] { return open_descriptors(server.pid()) == before + 1; }));
  const CtlAnswer whole = ask(server, "check");
  CHECK(whole.code == 78);
  CHECK(whole.says("settings:5000: unknown setting"));
  CHECK(eventually([&] { return server.log().find("; and 4997 more\n") != std::string::npos; }));
  CHECK(server.connect().ask("echo hello") == "hello");
  CHECK(eventually([&] { return open_descriptors(server.pid()) == before; }));
}

TEST_CASE("a client that hangs up is forgotten") {
  const ServerProcess server;
  const std::size_t before = descriptors_at_rest(server.pid());
  auto held = server.hold(1);
  {
    Client client = connect(server);
    client.send("reload\n");
    CHECK(eventually([&] { return server.service().generation == 2; }));
  }
  CHECK(eventually([&] { return open_descriptors(server.pid()) == before; }));
}

TEST_CASE("a child has nothing of it") {
  const ServerProcess server;
  const Client client = connect(server);
  Client busy = connect(server);
  auto held = server.hold(1);
  busy.send("reload\n");  // is being answered while children are forked
  CHECK(server.reaches([](const auto& service) {
    return service.generation == 2 && service.idle >= 5 &&
           service.idle + service.leaving == service.children() && service.leaving == 1;
  }));
  const auto inodes = sockets_at(socket_of(server));
  REQUIRE_FALSE(inodes.empty());
  CHECK(has_socket(server.pid(), inodes));
  for (const pid_t child : server.children()) CHECK_FALSE(has_socket(child, inodes));
}

TEST_CASE("an idle server does not wake up for its socket, nor for a client that waits") {
  ServerProcess server;
  REQUIRE(server.reaches([](const auto& service) { return service.idle == 5; }));
  CHECK(ask(server, "check").code == 0);
  auto held = server.hold(1);
  Client waiting = connect(server);
  waiting.send("reload\n");
  REQUIRE(server.reaches([](const auto& service) {
    return service.generation == 2 && service.starting == 0 && service.idle >= 5 && service.leaving == 1;
  }));
  // Until it has seen all of that.
  CHECK(rests(server.pid(), 2s));
}

TEST_CASE("a parent that is stopped is not waited for") {
  const ServerProcess server;
  server.signal(SIGSTOP);
  CHECK(eventually([&] { return server.snapshot().parent_state == 'T'; }));
  const CtlAnswer answer = ask(server, "reload");
  CHECK(answer.code == 69);
  CHECK(answer.says("is stopped; to continue it: kill -CONT"));
  server.signal(SIGCONT);
}

TEST_CASE("orders are accepted from root and the server's own user, and from nobody else") {
  if (::geteuid() != 0) return;
  const std::string as_nobody = "setpriv --reuid=65534 --clear-groups ";
  const ServerProcess server;
  fs::permissions(server.directory().path(), fs::perms::all);
  CHECK(ask(server, "check", as_nobody).code == 77);
  // Even if the mode of the file would let them.
  fs::permissions(socket_of(server), fs::perms::all);
  const CtlAnswer refused = ask(server, "stop", as_nobody);
  CHECK(refused.code == 77);
  CHECK(refused.says("orders are accepted from root and from the server's own user"));
  CHECK(server.wait_for_log("control socket: user 65534, process "));
  CHECK(server.connect().ask("echo still") == "still");

  ServerOptions options;
  options.user = nobody;
  const ServerProcess nobodys({}, options);
  CHECK(ask(nobodys, "check").code == 0);
  CHECK(ask(nobodys, "check", as_nobody).code == 0);
}
