// SPDX-License-Identifier: MIT
// Clients that send a byte a second and never a whole request.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood::bench {

class SlowClients {
 public:
  // `come_back`: how long after the server has closed its connection a client connects again; empty: never.
  // Returns when all have connected once.
  SlowClients(const std::string& address, unsigned number,
              std::optional<std::chrono::milliseconds> come_back);
  ~SlowClients();
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  std::uint64_t ended() const { return ended_; }  // connections, by the server

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    Descriptor socket;  // none: it connects again at `next`, if ever
    Clock::time_point next;
  };
  void run();
  void look_at(Client& client, bool readable, Clock::time_point now);

  const std::string address_;
  const std::optional<std::chrono::milliseconds> come_back_;
  std::vector<Client> clients_;
  std::atomic<std::uint64_t> ended_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace brood::bench
