// SPDX-License-Identifier: MIT
// The loop of the child models for listeners that carry no connections: one piece of work at a time. The
// receiver keeps what it received (`work()`), how log messages name that (`name()`), and how many bytes were
// read and written for it.
#pragma once

#include "brood/child.hpp"
#include "child/handler_guard.hpp"

namespace brood {

template <typename WorkReceiver, typename Handler>
void receive_loop(Child& child, WorkReceiver& receiver, const Handler& handler) {
  while (const auto id = child.receive(receiver)) {
    const Outcome outcome =
        guard_handler([&] { handler(receiver.work(child, *id)); }, [&] { return receiver.name(); });
    child.finished(*id, outcome, receiver.bytes_read(), receiver.bytes_written());
  }
}

}  // namespace brood
