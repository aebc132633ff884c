// SPDX-License-Identifier: MIT
#include "parent/order_progress.hpp"

#include <algorithm>

namespace brood {

OrderProgress::OrderProgress(const Service& service, Time now)
    : name_(service.name()),
      began_(now),
      accepted_(service.pool().census().accepted()),
      lost_(service.connections_lost()) {
  const ChildTable& children = service.pool().children();
  for (const std::uint32_t slot : children.taken())
    children_.push_back({children[slot].pid, children[slot].forked_at});
}

unsigned OrderProgress::remaining(const Service& service) const {
  const ChildTable& children = service.pool().children();
  return static_cast<unsigned>(std::ranges::count_if(children_, [&](const Known& known) {
    const auto slot = children.find(known.pid);
    return slot && children[*slot].forked_at == known.forked_at &&
           children[*slot].escalation != Escalation::lost;
  }));
}

WireRecord OrderProgress::tell(const Service& service) const {
  return WireRecord("service")
      .set("name", name_)
      .set("state", name_of(service.state()))
      .set("generation", service.generation())
      .set("children", service.pool().count())
      .set("before", children_.size())
      .set("gone", children_.size() - remaining(service))
      .set("milliseconds",
           std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began_).count())
      .set("connections", service.pool().census().accepted() - accepted_)
      .set("lost", service.connections_lost() - lost_);
}

}  // namespace brood
