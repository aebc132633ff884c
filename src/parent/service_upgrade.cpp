// SPDX-License-Identifier: MIT
// What a service leaves to the next program of the parent's process, and takes over from the one before.
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/service.hpp"

namespace brood {

HandedOverService Service::hand_over() const {
  const ServiceState its_state = state();
  // Also one that has ended by now, and is still there to be dropped: no settings tell of it any more.
  if (its_state == ServiceState::stopping || dismissed_)
    throw Error(text("service ", name(), " is on its way out: wait until it has ended"));
  HandedOverService to{.name = name(),
                       .generation = generation_,
                       .paused = its_state == ServiceState::paused,
                       .stopped = its_state == ServiceState::stopped,
                       .drain_until = listeners_.drain_until(),
                       .listeners = listeners_.hand_over(),
                       .children = {},
                       .detached = detached_.all(),
                       .on_failure = failure_command_.hand_over(),
                       .scaled = scaled_};
  for (const std::uint32_t slot : pool_->children().taken())
    to.children.push_back({slot, pool_->children()[slot]});
  return to;
}

void Service::take_over(Takeover& takeover, Time now) {
  const HandedOverService& from = *takeover.find(name());
  std::vector<Listener> serving, drained;
  for (const auto& listener : from.listeners)
    (listener.drained ? drained : serving).emplace_back(takeover.claim(listener.descriptor), listener);
  listeners_.take_over(std::move(serving), std::move(drained), now, from.drain_until);
  for (const auto& child : from.children) pool_->take_over(child.slot, child.record);
  for (const auto& child : from.detached) detached_.add(child, child.told_at);
  failure_command_.take_over(from.on_failure);
  generation_ = from.generation;
  paused_ = from.paused;
  if (from.stopped) stage_ = Stage::finishing;
  look_for_stranded_ = true;
  if (!takeover.given_back()) take_new_settings(now);
  publish_limits();
}

void Service::take_new_settings(Time now) {
  ++generation_;
  if (stage_ != Stage::serving) return;
  try {
    listeners_.change(configuration_.listen_specs, configuration_.limits.graceful_timeout, now);
  } catch (const Error& error) {
    log_error(text("service ", name(), ": ", std::string_view(error.what()),
                   "; the listeners stay as the former program had them"));
  }
}

}  // namespace brood
