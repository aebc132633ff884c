// SPDX-License-Identifier: MIT
// Everything at once in event loops with threads: short and long connections, rude and slow clients, idle
// timeouts, recycles. Nothing hangs, nothing crashes, and the figures add up.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <random>
#include <thread>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

// A client that may be closed at any time, and does anything. Counts what must not happen.
class Crowd {
 public:
  Crowd(std::string address, unsigned clients) : address_(std::move(address)) {
    for (unsigned i = 0; i < clients; ++i) threads_.emplace_back([this, i] { live(i); });
  }
  ~Crowd() { stop(); }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void stop() {
    stopping_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  std::atomic<std::uint64_t> connections = 0, answers = 0, wrong = 0, hung = 0, refused = 0;
  std::atomic<std::uint64_t> fresh_lost = 0;  // a first question without its answer

 private:
  void live(unsigned seed) {
    std::minstd_rand random(seed + 1);
    while (!stopping_) {
      bool answered = false, in_time = false;
      const auto begin = std::chrono::steady_clock::now();
      try {
        ++connections;
        Client client(address_, 20s);
        client.send("echo first\n");
        in_time = std::chrono::steady_clock::now() - begin < 40ms;  // or else the server may lose patience
        if (client.line() != "first") ++wrong;
        answered = true;
        one(client, random, begin);
      } catch (const ClientError& error) {
        if (error.ending() == Ending::timed_out) ++hung;
        if (error.ending() == Ending::refused) ++refused;
        if (!answered && in_time) ++fresh_lost;
      }
    }
  }

  // `begin`: of the connection.
  void one(Client& client, std::minstd_rand& random, std::chrono::steady_clock::time_point begin) {
    const auto ask = [&] {
      const std::string word = std::to_string(random());
      if (client.ask("echo " + word) != word) ++wrong;
      ++answers;
    };
    switch (random() % 8) {
      case 0:
        for (int i = 0; i < 30; ++i) ask();
        break;
      case 1:  // idle for too long, or just not
        std::this_thread::sleep_for(std::chrono::milliseconds(30 + random() % 40));
        ask();
        break;
      case 2:
        client.send("flood 300000\n");
        client.abandon();
        break;
      case 3:
        client.send("flood 300000\nclose\n");
        if (!takes(client, 300'000 + std::string("closing\n").size(), begin)) ++wrong;
        break;
      case 4:
        client.send("throw it\nand what is not read");
        client.ending();
        break;
      case 5:
        client.send("close\n" + std::string(20'000, 'z'));
        client.ending();
        break;
      case 6:
        client.finish_sending();
        client.ending();
        break;
      default:
        break;
    }
  }

  // Not if the test itself was held up at any time since `begin`: the server may lose patience then.
  static bool takes(Client& client, std::size_t expected, std::chrono::steady_clock::time_point begin) {
    std::size_t size = 0;
    for (std::string some = "begin"; !some.empty(); size += some.size()) some = client.receive_some();
    const bool late = std::chrono::steady_clock::now() - begin > 40ms;
    return size == expected || late;
  }

  const std::string address_;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("a crowd of clients, idle timeouts of 50 ms, and a recycle each 100 ms" *
          doctest::test_suite("slow")) {
  std::string threads = "4";
  SUBCASE("four threads") {}
  SUBCASE("one thread") { threads = "1"; }
  ServerProcess server(
      {"--threads-per-child=" + threads, "--connection-idle-timeout=50ms", "--connection-timeout=20s",
       "--max-connections-per-child=8", "--start-servers=3", "--min-spare-servers=2", "--max-spare-servers=5",
       "--max-clients=20", "--max-requests-per-child=300"},
      {.program = "brood-event-test-server"});
  Crowd crowd(server.address(), 24);
  for (int round = 0; round < 60; ++round) {
    server.signal(SIGHUP);
    std::this_thread::sleep_for(100ms);
  }
  crowd.stop();
  CHECK(crowd.answers > 500);
  CHECK(crowd.wrong == 0);
  CHECK(crowd.hung == 0);
  CHECK(crowd.refused == 0);
  CHECK(crowd.fresh_lost == 0);
  CHECK(server.reaches([&](const auto& service) {
    return service.open_connections == 0 && service.leaving == 0 &&
           service.total.accepted == crowd.connections;
  }));
  const ServiceSnapshot service = server.service();
  CHECK(service.total.finished == service.total.accepted);
  CHECK(service.total.aborted == 0);
  CHECK(service.children_failed == 0);
  CHECK(service.connection_timeouts == 0);
  MESSAGE(crowd.connections.load() << " connections, " << crowd.answers.load() << " answers, "
                                   << service.children_gone << " children replaced");
  server.signal(SIGTERM);
  CHECK(server.wait_exit() == exited(0));
}
