// SPDX-License-Identifier: MIT
// What a child model needs from the kit: its settings, and the kind of listeners that it can use.
// brood_models(7) compares the models.
#pragma once

#include "brood/cxx20.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace brood {

// What listeners bring. A model uses one kind; `any`: only the program that the model runs knows which.
enum class WorkKind : std::uint8_t { connections, datagrams, triggers, any };
inline constexpr std::array<std::string_view, 4> work_kind_names = {"connections", "datagrams", "triggers",
                                                                    "any"};
constexpr bool fits(WorkKind wanted, WorkKind brought) {
  return wanted == brought || wanted == WorkKind::any;
}

// A tick of a timer; a line, or a byte, that was written into a FIFO.
enum class TriggerKind : std::uint8_t { timer, line, byte };

struct ChildModel {
  WorkKind work = WorkKind::connections;
  // One thread has many connections open: the model has the settings max-connections-per-child and
  // connection-idle-timeout.
  bool many_connections = false;
  bool threads = false;  // the model has the setting threads-per-child
  bool command = false;  // children run a program: the model has the settings command and command-gets
};

}  // namespace brood
