// SPDX-License-Identifier: MIT
// Reads from a unix socket with SO_PASSCRED: the kernel tells which process has written. Parent only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "brood/descriptor.hpp"

namespace brood {

struct SentText {
  pid_t sender = 0;  // 0: it is not in this namespace of pids
  std::string text;  // "": a message without content, or the end
};

// Does not wait. Empty: there is nothing, or reading fails. Descriptors that a process passes are dropped by
// the kernel.
std::optional<SentText> read_with_sender(const Descriptor& socket, std::size_t most);

}  // namespace brood
