// SPDX-License-Identifier: MIT
// What a child model needs of the kit: which settings it has, which listeners it takes. brood_models(7) tells
// the models apart.
#pragma once

#include <cstdint>

namespace brood {

// What listeners bring. One model takes one kind.
enum class Arrivals : std::uint8_t { connections, datagrams, triggers };

struct ChildModel {
  Arrivals takes = Arrivals::connections;
  bool many_connections = false;  // at once in one thread: there are max-connections-per-child and
                                  // connection-idle-timeout
  bool threads = false;           // there is threads-per-child
};

}  // namespace brood
