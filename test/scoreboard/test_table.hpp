// SPDX-License-Identifier: MIT
// A scoreboard of one service, for tests of what children write and readers see.
#pragma once

#include <netinet/in.h>
#include <unistd.h>

#include <string>

#include "base/event_descriptor.hpp"
#include "brood/snapshot.hpp"
#include "scoreboard/child_slot.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

struct TestTable {
  static constexpr std::uint32_t slots = 128;
  std::string path = std::string("/tmp/brood-test-") + std::to_string(::getpid()) + ".scoreboard";
  Scoreboard scoreboard{path, ServerFacts::of_this_process("test"), "only", slots};

  ~TestTable() { ::unlink(path.c_str()); }

  ChildSlot serving(std::uint32_t slot, ChildSlot::Capacity capacity = {}) {
    scoreboard.claim(slot, 1, Clock::now());
    scoreboard.writable_slot_orders(slot).pid.store(static_cast<int>(1000 + slot));
    scoreboard.service_orders().generation.store(1);
    ChildSlot child(scoreboard, slot, capacity);
    child.ready();
    woken();
    return child;
  }
  // How often the parent was woken since it was asked last.
  std::uint64_t woken() const { return clear_event(scoreboard.wake_descriptor()); }
  void thresholds(std::uint32_t below, std::uint32_t above) {
    scoreboard.service_orders().wake_below.store(below);
    scoreboard.service_orders().wake_above.store(above);
  }
  ServiceSnapshot look() const { return Snapshot::read(path).services.at(0); }
};

inline sockaddr_storage loopback_peer(std::uint16_t port) {
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return storage;
}

}  // namespace brood
