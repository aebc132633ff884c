// SPDX-License-Identifier: MIT
#include "listeners.hpp"

#include <algorithm>
#include <iterator>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "text.hpp"

namespace brood {

using namespace std::chrono_literals;

Listeners::Listeners(std::string service, const std::vector<ListenSpec>& specs, unsigned backlog,
                     Arrivals takes)
    : service_(std::move(service)), backlog_(backlog), takes_(takes) {
  for (const auto& spec : specs)
    for (auto& listener : open(spec)) listeners_.push_back(std::move(listener));
}

std::vector<Listener> Listeners::open(const ListenSpec& spec) const {
  auto opened = Listener::open(spec, static_cast<int>(backlog_));
  for (const auto& listener : opened)  // an inherited one
    if (!takes(takes_, listener.brings()))
      throw ConfigurationError(text("listen = ", spec.written, " ", misfit(listener.brings(), takes_)));
  return opened;
}

std::string Listeners::addresses() const {
  std::string all;
  for (const auto& listener : listeners_) all += (all.empty() ? "" : " ") + listener.address();
  return all;
}

unsigned Listeners::backlog() const {
  unsigned sum = drain_ ? drain_->backlog() : 0;
  for (const auto& listener : listeners_) sum += listener.backlog();
  return sum;
}

std::vector<ChildListener> Listeners::of_a_child() const {
  std::vector<ChildListener> all;
  for (const auto& listener : listeners_) all.push_back(listener.of_a_child());
  if (drain_)
    for (const auto& listener : drain_->listeners()) all.push_back(listener.of_a_child());
  return all;
}

bool Listeners::knows(const ListenSpec& spec) const {
  return std::ranges::any_of(listeners_, [&](const auto& known) { return known.is_of(spec); });
}

void Listeners::prepare(const std::vector<ListenSpec>& specs) {
  std::vector<Listener> opened;
  for (const auto& spec : specs)
    if (!knows(spec) && !(drain_ && drain_->has(spec)))
      for (auto& listener : open(spec)) opened.push_back(std::move(listener));
  prepared_ = std::move(opened);
}

std::vector<Listener> Listeners::take_or_open(const ListenSpec& spec) {
  const auto taken =
      std::ranges::stable_partition(prepared_, [&](const auto& listener) { return !listener.is_of(spec); });
  std::vector<Listener> prepared(std::move_iterator(taken.begin()), std::move_iterator(taken.end()));
  prepared_.erase(taken.begin(), taken.end());
  return prepared.empty() ? open(spec) : std::move(prepared);
}

void Listeners::change(const std::vector<ListenSpec>& specs, std::chrono::milliseconds timeout, Time now) {
  // What is new is opened first: when that fails, nothing has changed.
  std::vector<Listener> opened;
  for (const auto& spec : specs) {
    if (knows(spec)) continue;
    if (auto drained = drain_ ? drain_->take_back(spec) : std::nullopt) {
      opened.push_back(std::move(*drained));
      continue;
    }
    for (auto& listener : take_or_open(spec)) opened.push_back(std::move(listener));
  }
  std::vector<Listener> staying, going;
  const auto spec_of = [&specs](const Listener& listener) {
    return std::find_if(specs.begin(), specs.end(),
                        [&](const ListenSpec& spec) { return listener.is_of(spec); });
  };
  for (auto& listener : listeners_)
    if (const auto spec = spec_of(listener); spec != specs.end()) listener.take_options(*spec);
  // From here on nothing fails.
  for (auto& listener : listeners_) {
    const bool stays = spec_of(listener) != specs.end();
    if (!stays)
      log_info(text("service ", service_, ": listener ", listener.address(), " is drained and closed"));
    (stays ? staying : going).push_back(std::move(listener));
  }
  for (auto& listener : opened) {
    log_info(text("service ", service_, ": listens on ", listener.address()));
    staying.push_back(std::move(listener));
  }
  listeners_ = std::move(staying);
  if (drain_)  // of an earlier reload: it goes on
    for (auto& listener : drain_->take_all()) going.push_back(std::move(listener));
  drain_.reset();
  if (!going.empty()) drain_.emplace(std::move(going), now, timeout == 0ms ? never : now + timeout);
}

Time Listeners::drain_on(Time now) {
  // By the queue alone: the other listeners may never be quiet.
  if (drain_ && drain_->done(0, now)) close_drained();
  return drain_ ? drain_->look_again(now) : never;
}

void Listeners::drain_all(Time now, Time limit) {
  if (drain_)  // of a reload
    for (auto& listener : drain_->take_all()) listeners_.push_back(std::move(listener));
  drain_.emplace(std::move(listeners_), now, limit);
  listeners_.clear();
}

void Listeners::close_drained() {
  if (drain_) lost_ += drain_->close();
  drain_.reset();
}

void Listeners::close_all() {
  close_drained();
  for (auto& listener : listeners_) lost_ += listener.close();
  listeners_.clear();
}

}  // namespace brood
