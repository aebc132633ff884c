// SPDX-License-Identifier: MIT
// Reads the scoreboards of a server again and again, by descriptors: in a process that may not open their
// files. It maps them read-only, once.
#pragma once

#include <functional>
#include <span>

#include "brood/descriptor.hpp"
#include "brood/snapshot.hpp"

namespace brood {

class ScoreboardReader {
 public:
  // Read-only descriptors: the server's file first if it has one, then those of its services in their order.
  // They may be closed then. Throws Error or SystemError.
  explicit ScoreboardReader(std::span<const Descriptor> files);

  Snapshot read() const { return read_(); }

 private:
  std::function<Snapshot()> read_;
};

}  // namespace brood
