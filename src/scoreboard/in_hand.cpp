// SPDX-License-Identifier: MIT
#include "scoreboard/in_hand.hpp"

namespace brood {

Seat InHand::add(std::int64_t since) {
  Seat seat = free_;
  if (seat == nobody) {
    seat = static_cast<Seat>(records_.size());
    records_.emplace_back();
  } else {
    free_ = records_[seat].newer;
  }
  Record& record = records_[seat];
  record.since = since;
  record.older = newest_;
  record.newer = nobody;
  if (newest_ == nobody)
    oldest_ = seat;
  else
    records_[newest_].newer = seat;
  newest_ = seat;
  ++count_;
  return seat;
}

void InHand::remove(Seat seat) {
  Record& record = records_[seat];
  (record.older == nobody ? oldest_ : records_[record.older].newer) = record.newer;
  (record.newer == nobody ? newest_ : records_[record.newer].older) = record.older;
  record.newer = free_;
  free_ = seat;
  --count_;
}

}  // namespace brood
