// SPDX-License-Identifier: MIT
#include "listen/drain.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// Longer than a round trip: a handshake that began before the drain still arrives in it.
constexpr auto quiet_time = 250ms;
constexpr auto glance = 25ms;
constexpr auto settling_time = 20ms;
constexpr auto settling_patience = 200ms;
// With newcomers there may never be quiet.
constexpr auto patience_with_newcomers = 1s;

bool can_be(const Listener& listener, const ListenSpec& spec) {
  return listener.is_of(spec) && listener.can_come_back();
}

}  // namespace

Drain::Drain(std::vector<Listener> listeners, Time now, Time limit)
    : listeners_(std::move(listeners)), limit_(limit), quiet_since_(now) {
  for (auto& listener : listeners_) {
    if (listener.inherited()) continue;
    only_inherited_ = false;
    if (listener.refuse_newcomers()) continue;
    newcomers_ = true;
    log_warning(text(
        "listener ", listener.address(),
        ": newcomers can't be kept out while it drains (needs CAP_NET_ADMIN); connections that arrive in the "
        "last moment will be reset"));
  }
  // An inherited listener beside our own keeps its newcomers, and its children never quiet.
  const bool inherits =
      std::any_of(listeners_.begin(), listeners_.end(), [](const auto& each) { return each.inherited(); });
  if (newcomers_ || (inherits && !only_inherited_))
    limit_ = std::min<Time>(limit_, now + patience_with_newcomers);
}

bool Drain::can_take_back(const ListenSpec& spec) const {
  return std::ranges::any_of(listeners_, [&](const Listener& listener) { return can_be(listener, spec); });
}

std::optional<Listener> Drain::take_back(const ListenSpec& spec) {
  const auto found =
      std::ranges::find_if(listeners_, [&](const Listener& listener) { return can_be(listener, spec); });
  if (found == listeners_.end()) return {};
  found->welcome_newcomers();
  Listener listener = std::move(*found);
  listeners_.erase(found);
  return listener;
}

unsigned Drain::backlog() const {
  return std::accumulate(listeners_.begin(), listeners_.end(), 0U,
                         [](unsigned sum, const Listener& listener) { return sum + listener.backlog(); });
}

bool Drain::done(std::uint64_t accepted, Time now) {
  if (only_inherited_) return true;  // its queue is served by those who share it
  if (accepted != accepted_ || backlog() > 0) {
    accepted_ = accepted;
    quiet_since_ = now;
  }
  return now - quiet_since_ >= quiet_time || now >= limit_;
}

bool Drain::settled(Time now) {
  if (!newcomers_) return true;
  if (settling_since_ == never) settling_since_ = now;
  const unsigned count = backlog();
  if (counted_at_ == never || count != counted_) {
    counted_ = count;
    counted_at_ = now;
  }
  return now - counted_at_ >= settling_time || now - settling_since_ >= settling_patience;
}

Time Drain::look_again(Time now) const { return std::min<Time>(limit_, now + glance); }

void Drain::forget() {
  for (auto& listener : listeners_) listener.forget();
}

unsigned Drain::close() {
  unsigned all = 0;
  for (auto& listener : listeners_) {
    const unsigned left = listener.close();
    all += left;
    if (left > 0 && listener.brings() != WorkKind::connections)
      log_warning(text("listener ", listener.address(), ": closed with something unserved in its queue"));
    else if (left > 0)
      log_warning(text("listener ", listener.address(), ": closed with ", left,
                       " connection(s) in its queue; they were reset"));
  }
  listeners_.clear();
  return all;
}

}  // namespace brood
