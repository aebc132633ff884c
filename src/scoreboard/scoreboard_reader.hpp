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

  // Waits for a child that is in the middle of a write, for some milliseconds.
  Snapshot read() const { return read_(true); }
  // Its row is torn then.
  Snapshot read_without_wait() const { return read_(false); }

 private:
  std::function<Snapshot(bool may_wait)> read_;
};

}  // namespace brood
