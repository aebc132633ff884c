// SPDX-License-Identifier: MIT
#include "scoreboard/open_connections.hpp"

namespace brood {

ConnectionId OpenConnections::add(std::int64_t since) {
  ConnectionId id = free_;
  if (id == none) {
    id = static_cast<ConnectionId>(entries_.size());
    entries_.emplace_back();
  } else {
    free_ = entries_[id].newer;
  }
  Entry& record = entries_[id];
  record.since = since;
  record.older = newest_;
  record.newer = none;
  if (newest_ == none)
    oldest_ = id;
  else
    entries_[newest_].newer = id;
  newest_ = id;
  ++count_;
  return id;
}

void OpenConnections::remove(ConnectionId id) {
  Entry& record = entries_[id];
  (record.older == none ? oldest_ : entries_[record.older].newer) = record.newer;
  (record.newer == none ? newest_ : entries_[record.newer].older) = record.older;
  record.newer = free_;
  free_ = id;
  --count_;
}

}  // namespace brood
