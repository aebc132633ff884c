// SPDX-License-Identifier: MIT
#include "listen/drain.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// Longer than a round trip: a handshake that began before the drain can still complete.
constexpr auto quiet_time = 250ms;
constexpr auto look_interval = 25ms;
constexpr auto settling_time = 20ms;
constexpr auto settling_limit = 200ms;
// If new connections still arrive, the queue may never be quiet.
constexpr auto limit_with_arrivals = 1s;

bool can_become(const Listener& listener, const ListenSpec& spec) {
  return listener.is_of(spec) && listener.can_come_back();
}

}  // namespace

Drain::Drain(std::vector<Listener> listeners, Time now, Time limit)
    : listeners_(std::move(listeners)), limit_(limit), quiet_since_(now) {
  for (auto& listener : listeners_) {
    if (listener.inherited()) continue;
    only_inherited_ = false;
    if (listener.stop_arrivals()) continue;
    arrivals_continue_ = true;
    log_warning(text("listener ", listener.address(),
                     ": new connections cannot be kept out while it is drained (this needs CAP_NET_ADMIN); "
                     "those that arrive in the last moment will be reset"));
  }
  // New connections cannot be kept out of an inherited listener, so the counter of accepted ones never rests.
  const bool inherits =
      std::any_of(listeners_.begin(), listeners_.end(), [](const auto& each) { return each.inherited(); });
  if (arrivals_continue_ || (inherits && !only_inherited_))
    limit_ = std::min<Time>(limit_, now + limit_with_arrivals);
}

bool Drain::can_take_back(const ListenSpec& spec) const {
  return std::ranges::any_of(listeners_,
                             [&](const Listener& listener) { return can_become(listener, spec); });
}

std::optional<Listener> Drain::take_back(const ListenSpec& spec) {
  const auto found =
      std::ranges::find_if(listeners_, [&](const Listener& listener) { return can_become(listener, spec); });
  if (found == listeners_.end()) return {};
  found->resume_arrivals();
  Listener listener = std::move(*found);
  listeners_.erase(found);
  return listener;
}

unsigned Drain::backlog() const {
  return std::accumulate(listeners_.begin(), listeners_.end(), 0U,
                         [](unsigned sum, const Listener& listener) { return sum + listener.backlog(); });
}

bool Drain::done(std::uint64_t accepted, Time now) {
  if (only_inherited_) return true;  // the processes that share it serve its queue
  if (accepted != accepted_ || backlog() > 0) {
    accepted_ = accepted;
    quiet_since_ = now;
  }
  return now - quiet_since_ >= quiet_time || now >= limit_;
}

bool Drain::settled(Time now) {
  if (!arrivals_continue_) return true;
  if (settling_since_ == never) settling_since_ = now;
  const unsigned count = backlog();
  if (counted_at_ == never || count != counted_) {
    counted_ = count;
    counted_at_ = now;
  }
  return now - counted_at_ >= settling_time || now - settling_since_ >= settling_limit;
}

Time Drain::look_again(Time now) const { return std::min<Time>(limit_, now + look_interval); }

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
