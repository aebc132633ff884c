// SPDX-License-Identifier: MIT
// How a child passes the descriptor on which its forbidden calls are noticed to its parent: one message each,
// in which the kernel names the sender.
#pragma once

#include <sys/types.h>

#include <optional>

#include "brood/descriptor.hpp"

namespace brood {

struct SandboxChannel {
  Descriptor receiver, sender;

  static SandboxChannel make();  // throws SystemError
};

// Waits if others have sent many. Throws SystemError.
void send_listener(const Descriptor& sender, const Descriptor& listener, bool forbids);

struct SentListener {
  pid_t child = 0;
  bool forbids = true;  // else calls are only reported
  Descriptor listener;  // none: this process has too many descriptors
};
std::optional<SentListener> receive_listener(const Descriptor& receiver);  // does not wait

}  // namespace brood
