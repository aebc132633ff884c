// SPDX-License-Identifier: MIT
#include "watch.hpp"

#include "brood/error.hpp"
#include "eventually.hpp"

namespace brood::test {

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
    seen_(service);
  } catch (const Error&) {  // the server has ended
  }
}

void Watch::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace brood::test
