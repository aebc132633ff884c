// SPDX-License-Identifier: MIT
// What a child model needs of the kit: which settings it has, which listeners it takes. brood_models(7) tells
// the models apart.
#pragma once

#include "brood/cxx20.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace brood {

// What listeners bring. One model takes one kind; `any`: what it takes is known to its program alone.
enum class WorkKind : std::uint8_t { connections, datagrams, triggers, any };
inline constexpr std::array<std::string_view, 4> work_kind_names = {"connections", "datagrams", "triggers",
                                                                    "any"};
inline constexpr bool fits(WorkKind taken, WorkKind brought) {
  return taken == brought || taken == WorkKind::any;
}

// What a trigger is: a tick of a timer; a line or a byte that was written into a FIFO.
enum class TriggerKind : std::uint8_t { timer, line, byte };

struct ChildModel {
  WorkKind work = WorkKind::connections;
  bool many_connections = false;  // at once in one thread: there are max-connections-per-child and
                                  // connection-idle-timeout
  bool threads = false;           // there is threads-per-child
  bool command = false;           // children run a program: there are command and command-gets
};

}  // namespace brood
