// SPDX-License-Identifier: MIT
// A reload between every address of a port and one address of it: the kernel permits only one of them, unless
// both say so, and the server is in the way of itself.
#include <doctest/doctest.h>

#include <csignal>

#include "load.hpp"
#include "own_network.hpp"
#include "server_process.hpp"
#include "upgradeable.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr const char* port = "7000";  // nobody else is in this network

class Overlapping {
 public:
  explicit Overlapping(const std::string& listen)
      : written_(write(listen)),
        server({"--config=" + (directory_ / "settings.conf"), "--graceful-timeout=1m"}, {.listen = false}) {}

  bool write(const std::string& listen) {
    write_file(directory_ / "settings.conf", listen);
    return true;
  }
  void reload(const std::string& listen, std::uint32_t generation) {
    write(listen);
    server.signal(SIGHUP);
    // A client of before keeps its child.
    CHECK(server.reaches(
        [&](const auto& service) { return service.generation == generation && service.idle > 0; }));
  }

 private:
  const TemporaryDirectory directory_;
  const bool written_;

 public:
  ServerProcess server;
};

std::string addresses_of(const std::string& hosts) {
  std::string settings;
  for (std::size_t at = 0; at < hosts.size();) {
    const auto end = std::min(hosts.find(' ', at), hosts.size());
    settings += "listen = " + hosts.substr(at, end - at) + ':' + port + '\n';
    at = end + 1;
  }
  return settings;
}

}  // namespace

TEST_CASE("a reload between every address of a port and one of them loses no connection") {
  const OwnNetwork network;
  if (!network) return;
  struct Change {
    const char *from, *to, *client;
  };
  for (const auto& [from, to, client] :
       {Change{"0.0.0.0", "127.0.0.1", "127.0.0.1"}, Change{"127.0.0.1", "0.0.0.0", "127.0.0.1"},
        Change{"*", "127.0.0.1", "127.0.0.1"}, Change{"127.0.0.1", "*", "127.0.0.1"},
        Change{"0.0.0.0", "*", "127.0.0.1"}, Change{"*", "0.0.0.0", "127.0.0.1"},
        Change{"[::]", "[::1]", "[::1]"}, Change{"[::1]", "[::]", "[::1]"},
        Change{"localhost", "127.0.0.1", "127.0.0.1"}}) {
    CAPTURE(from);
    CAPTURE(to);
    Overlapping it(addresses_of(from));
    Client before(std::string(client) + ':' + port);
    CHECK(before.ask("echo before") == "before");
    Load load(std::string(client) + ':' + port, 4);
    std::uint32_t generation = 1;
    for (const char* const hosts : {to, from}) {
      CHECK(load.more_answers(50));
      it.reload(addresses_of(hosts), ++generation);
    }
    CHECK(load.more_answers(50));
    const LoadFigures figures = load.stop();
    CHECK_MESSAGE(figures.failed() == 0, it.server.log());
    CHECK(before.ask("echo still") == "still");
    before.close();
    CHECK(it.server.reaches([&](const auto& service) {
      return service.total.finished == figures.answered + 1 && service.total.aborted == 0;
    }));
    // Nobody else can share the port.
    ServerProcess other({"--listen=" + std::string(to) + ':' + port}, {.listen = false, .wait_ready = false});
    CHECK(other.wait_exit() == exited(71));
    it.server.signal(SIGTERM);
    CHECK(it.server.wait_exit() == exited(0));
  }
}

TEST_CASE(
    "every address of IPv6 and every address of IPv4 are two ports, and a reload replaces one by the other") {
  const OwnNetwork network;
  if (!network) return;
  Overlapping it(addresses_of("[::] 127.0.0.1"));
  Load load(std::string("127.0.0.1:") + port, 4);
  CHECK(Client(std::string("[::1]:") + port).ask("echo six") == "six");
  CHECK(load.more_answers(50));
  it.reload(addresses_of("0.0.0.0"), 2);
  CHECK(load.more_answers(50));
  CHECK(eventually([&] { return refuses(std::string("[::1]:") + port, "echo x"); }));
  it.reload(addresses_of("0.0.0.0 [::]"), 3);
  CHECK(Client(std::string("[::1]:") + port).ask("echo six") == "six");
  CHECK(load.more_answers(50));
  CHECK(load.stop().failed() == 0);
}

TEST_CASE("an upgrade between every address of a port and one of them loses no connection") {
  const OwnNetwork network;
  if (!network) return;
  Upgradeable it({}, addresses_of("0.0.0.0"), {.listen = false});
  Load load(std::string("127.0.0.1:") + port, 4);
  for (const char* const hosts : {"127.0.0.1", "0.0.0.0"}) {
    CHECK(load.more_answers(50));
    it.write_settings(addresses_of(hosts));
    REQUIRE(it.upgrade());
  }
  CHECK(load.more_answers(50));
  CHECK(load.stop().failed() == 0);
}
