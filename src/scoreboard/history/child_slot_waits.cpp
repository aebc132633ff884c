// SPDX-License-Identifier: MIT
// How long connections have waited in the queues of listeners, as a child writes it down.
#include <algorithm>

#include "scoreboard/child_slot.hpp"

namespace brood {

bool ChildSlot::measures_wait(ConnectionId id) {
  const auto turn = this->turn();
  if (measured_ != id) return false;
  measured_ = OpenConnections::none;
  return true;
}

bool ChildSlot::waited(ConnectionId id, std::chrono::milliseconds time, bool each) {
  const auto turn = this->turn();
  const auto milliseconds = std::clamp<std::chrono::milliseconds::rep>(time.count(), 0, INT32_MAX);
  if (each) open_[id].waited = static_cast<std::int32_t>(milliseconds);
  if (is_detached()) return false;
  past_.waited(open_[id].since, static_cast<std::uint32_t>(milliseconds), each);
  return milliseconds >= wait_resolution;
}

void ChildSlot::saw_waiting(unsigned connections) {
  const auto turn = this->turn();
  if (!is_detached()) past_.saw_waiting(connections);
}

}  // namespace brood
