// SPDX-License-Identifier: MIT
#include "scoreboard/open_connections.hpp"

namespace brood {

[[gnu::hot]] ConnectionId OpenConnections::add(std::int64_t since) {
  ConnectionId id = free_;
  if (id == none) {
    id = static_cast<ConnectionId>(entries_.size());
    entries_.emplace_back();
  } else {
    free_ = entries_[id].newer;
  }
  Entry& entry = entries_[id];
  entry.since = since;
  entry.older = newest_;
  entry.newer = none;
  if (newest_ == none)
    oldest_ = id;
  else
    entries_[newest_].newer = id;
  newest_ = id;
  ++count_;
  return id;
}

[[gnu::hot]] void OpenConnections::remove(ConnectionId id) {
  Entry& entry = entries_[id];
  (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
  entry.newer = free_;
  free_ = id;
  --count_;
}

}  // namespace brood
