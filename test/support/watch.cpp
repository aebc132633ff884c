// SPDX-License-Identifier: MIT
#include "watch.hpp"

#include <algorithm>

#include "brood/error.hpp"
#include "eventually.hpp"

namespace brood::test {
namespace {

bool same_children(const ServiceSnapshot& one, const ServiceSnapshot& other) {
  const auto same_phase = [](SlotState left, SlotState right) {
    const auto serves = [](SlotState state) { return state == SlotState::idle || state == SlotState::busy; };
    return left == right || (serves(left) && serves(right));
  };
  return std::ranges::equal(one.slots, other.slots, [&](const SlotSnapshot& left, const SlotSnapshot& right) {
    return left.incarnation == right.incarnation && same_phase(left.state, right.state);
  });
}

}  // namespace

bool sums_hold(const ServiceSnapshot& service) {
  return service.empty + service.starting + service.idle + service.busy + service.leaving ==
         service.slots.size();
}

Watch::Watch(std::string scoreboard, std::function<void(const ServiceSnapshot&)> seen)
    : seen_(std::move(seen)), thread_([this, path = std::move(scoreboard)] {
        while (!stopping_) {
          look(path);
          std::this_thread::sleep_for(1ms);
        }
      }) {}

void Watch::look(const std::string& scoreboard) {
  try {
    const Snapshot snapshot = Snapshot::read(scoreboard);
    const ServiceSnapshot& service = snapshot.services.front();
    ++looks_;
    if (!sums_hold(service)) ++broken_sums_;
    if (same_children(last_, service)) seen_(last_);
    last_ = service;
  } catch (const Error&) {  // the server has ended
  }
}

void Watch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace brood::test
