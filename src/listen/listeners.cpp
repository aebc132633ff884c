// SPDX-License-Identifier: MIT
#include "listen/listeners.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "listen/port_sharing.hpp"

namespace brood {

using namespace std::chrono_literals;

namespace {

// What each of `listeners` is to be from now on; nullptr: it goes. Several have the same address if that has
// port 0: then it is what it was, or else the next one that no other is.
std::vector<const ListenSpec*> wanted_of(const std::vector<Listener>& listeners,
                                         const std::vector<ListenSpec>& specs) {
  // A name may have several listeners, and so may fd:NAME.
  const auto key_of = [](const ListenSpec& spec) { return std::pair(spec.written, spec.descriptor); };
  std::map<std::pair<std::string, int>, const ListenSpec*> wanted;
  const auto find = [&](const Listener& listener, const auto& suits) {
    const auto spec = std::ranges::find_if(
        specs, [&](const ListenSpec& each) { return listener.is_of(each) && suits(each); });
    return spec == specs.end() ? nullptr : &*spec;
  };
  for (const auto& listener : listeners) {
    const auto key = key_of(listener.spec());
    if (const auto* const same = find(listener, [&](const ListenSpec& spec) { return key_of(spec) == key; }))
      wanted[key] = same;
  }
  const auto is_free = [&](const ListenSpec& spec) {
    return std::ranges::none_of(wanted, [&](const auto& other) { return other.second == &spec; });
  };
  std::vector<const ListenSpec*> all;
  for (const auto& listener : listeners) {
    const auto key = key_of(listener.spec());
    if (!wanted.contains(key)) {
      const auto* const free = find(listener, is_free);
      wanted[key] = free != nullptr ? free : find(listener, [](const ListenSpec&) { return true; });
    }
    all.push_back(wanted[key]);
  }
  return all;
}

// A listener of TCP at the port of `spec` that goes.
void add_if_going(std::vector<int>& to, const ListenSpec& its, int descriptor, const ListenSpec& spec,
                  const std::vector<ListenSpec>& specs) {
  constexpr auto tcp = ListenSpec::Kind::tcp;
  const bool stays = std::ranges::any_of(specs, [&](const auto& other) { return same_place(its, other); });
  if (!stays && its.kind == tcp && spec.kind == tcp && its.port == spec.port && spec.port != "0")
    to.push_back(descriptor);
}

}  // namespace

Listeners::Listeners(std::string service, const std::vector<ListenSpec>& specs, unsigned backlog,
                     WorkKind takes, std::span<const HandedOverListener> former)
    : service_(std::move(service)), backlog_(backlog), takes_(takes) {
  for (const auto& spec : specs) {
    if (std::ranges::any_of(former, [&](const auto& known) { return known.serves(spec); })) continue;
    for (auto& listener : open(spec, specs, former)) listeners_.push_back(std::move(listener));
  }
}

void Listeners::keep() {
  for (auto& listener : listeners_) listener.keep();
}

void Listeners::take_over(std::vector<Listener> serving, std::vector<Listener> drained, Time now,
                          Time drain_until) {
  for (const auto& opened : listeners_)
    log_info(text("service ", service_, ": listens on ", opened.address()));
  // Those of the former program come first: people know their addresses.
  for (auto& opened : listeners_) serving.push_back(std::move(opened));
  listeners_ = std::move(serving);
  keep();
  if (!drained.empty()) drain_.emplace(std::move(drained), now, drain_until);
}

std::vector<HandedOverListener> Listeners::hand_over() const {
  std::vector<HandedOverListener> all;
  for (const auto& listener : listeners_) all.push_back(listener.hand_over());
  if (!drain_) return all;
  for (const auto& listener : drain_->listeners()) {
    all.push_back(listener.hand_over());
    all.back().drained = true;
  }
  return all;
}

std::vector<Listener> Listeners::open(const ListenSpec& spec, const std::vector<ListenSpec>& specs,
                                      std::span<const HandedOverListener> former) const {
  std::vector<int> going;
  for (const auto& listener : listeners_)
    add_if_going(going, listener.spec(), listener.descriptor(), spec, specs);
  for (const auto& listener : former) add_if_going(going, listener.spec, listener.descriptor, spec, specs);
  if (drain_)
    for (const auto& listener : drain_->listeners())
      add_if_going(going, listener.spec(), listener.descriptor(), spec, specs);
  const PortUse use = going.empty() ? PortUse::alone : PortUse::shared;
  PortSharing sharing(std::move(going));
  auto opened = Listener::open(spec, static_cast<int>(backlog_), use);
  if (use == PortUse::shared)
    for (const auto& listener : opened) sharing.add(listener.descriptor());
  for (const auto& listener : opened) {  // an inherited one
    if (!fits(takes_, listener.brings()))
      throw ConfigurationError(
          text("listen = ", spec.written, " ", work_mismatch(listener.brings(), takes_)));
    if (spec.proxy && listener.brings() != WorkKind::connections)
      throw ConfigurationError(text("listen = ", spec.written, " has proxy, and brings no connections"));
  }
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

std::vector<ino_t> Listeners::inodes() const {
  std::vector<ino_t> all;
  for (const auto& listener : listeners_) {
    struct stat status {};
    if (::fstat(listener.descriptor(), &status) == 0 && S_ISSOCK(status.st_mode))
      all.push_back(status.st_ino);
  }
  return all;
}

std::vector<ChildListener> Listeners::of_a_child() const {
  std::vector<ChildListener> all;
  for (const auto& listener : listeners_) all.push_back(listener.of_a_child());
  if (drain_)
    for (const auto& listener : drain_->listeners()) all.push_back(listener.of_a_child());
  return all;
}

// A listener that has lost its path is opened again, and the former one
// is drained.
bool Listeners::is_open(const ListenSpec& spec) const {
  return std::ranges::any_of(listeners_,
                             [&](const auto& known) { return known.is_of(spec) && !known.lost_path(); });
}

bool Listeners::has_already(const ListenSpec& spec) const {
  return is_open(spec) || (drain_ && drain_->can_take_back(spec));
}

void Listeners::prepare(const std::vector<ListenSpec>& specs) {
  std::vector<Listener> opened;
  for (const auto& spec : specs)
    if (!has_already(spec))
      for (auto& listener : open(spec, specs)) opened.push_back(std::move(listener));
  prepared_ = std::move(opened);
}

std::vector<Listener> Listeners::take_or_open(const ListenSpec& spec, const std::vector<ListenSpec>& specs) {
  const auto taken =
      std::ranges::stable_partition(prepared_, [&](const auto& listener) { return !listener.is_of(spec); });
  std::vector<Listener> prepared(std::move_iterator(taken.begin()), std::move_iterator(taken.end()));
  prepared_.erase(taken.begin(), taken.end());
  return prepared.empty() ? open(spec, specs) : std::move(prepared);
}

void Listeners::change(const std::vector<ListenSpec>& specs, std::chrono::milliseconds timeout, Time now) {
  // New listeners are opened first: if that fails, nothing has changed.
  std::vector<Listener> opened;
  for (const auto& spec : specs)
    if (!has_already(spec))
      for (auto& listener : take_or_open(spec, specs)) opened.push_back(std::move(listener));
  std::vector<Listener> staying, going;
  const std::vector<const ListenSpec*> wanted = wanted_of(listeners_, specs);
  const auto spec_of = [&](const Listener& listener) {
    return wanted[static_cast<std::size_t>(&listener - listeners_.data())];
  };
  // It has lost its path.
  const auto replaced = [&, count = opened.size()](const Listener& listener) {
    const auto* const spec = spec_of(listener);
    return spec != nullptr && std::any_of(opened.begin(), opened.begin() + static_cast<long>(count),
                                          [&](const auto& other) { return other.is_of(*spec); });
  };
  for (auto& listener : listeners_)
    if (const auto* const spec = spec_of(listener); spec != nullptr && !replaced(listener))
      listener.take_options(*spec);
  // Nothing below can fail.
  if (drain_)
    for (const auto& spec : specs)
      while (auto drained = drain_->take_back(spec)) {
        drained->take_options(spec);
        opened.push_back(std::move(*drained));
      }
  for (auto& listener : listeners_) {
    const bool lost = replaced(listener);
    const bool stays = !lost && spec_of(listener) != nullptr;
    if (lost)
      log_warning(text("service ", service_, ": the file of listener ", listener.address(),
                       " was removed or replaced; the listener is opened again"));
    else if (!stays)
      log_info(text("service ", service_, ": listener ", listener.address(), " is drained and closed"));
    (stays ? staying : going).push_back(std::move(listener));
  }
  for (auto& listener : opened) {
    log_info(text("service ", service_, ": listens on ", listener.address()));
    staying.push_back(std::move(listener));
  }
  listeners_ = std::move(staying);
  keep();
  if (drain_)  // of an earlier reload
    for (auto& listener : drain_->take_all()) going.push_back(std::move(listener));
  drain_.reset();
  if (!going.empty()) drain_.emplace(std::move(going), now, timeout == 0ms ? never : now + timeout);
}

void Listeners::open_again(const std::vector<ListenSpec>& specs, unsigned backlog, WorkKind takes, Time now) {
  backlog_ = backlog;
  takes_ = takes;
  change(specs, {}, now);
}

Time Listeners::drain_on(Time now) {
  // 0: only the queues are looked at, because other listeners may accept connections all the time.
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

void Listeners::add_watched(std::vector<pollfd>& to) const {
  for (const auto& listener : listeners_)
    to.push_back({.fd = listener.descriptor(), .events = POLLIN | POLLRDHUP, .revents = 0});
}

bool Listeners::revive() {
  bool revived = false;
  std::erase_if(listeners_, [&](Listener& listener) {
    if (!listener.ended()) return false;
    revived = true;
    const std::string which = text("service ", service_, ": listener ", listener.address());
    try {
      listener.revive(static_cast<int>(backlog_));
    } catch (const Error& error) {
      log_error(text(which, " was ended by a process that shares it, and is closed: ", error.what()));
      return true;
    }
    log_warning(text(which, " was ended by a process that shares it; it was opened again"));
    return false;
  });
  return revived;
}

void Listeners::forget() {
  for (auto* listeners : {&listeners_, &prepared_})
    for (auto& listener : *listeners) listener.forget();
  if (drain_) drain_->forget();
}

}  // namespace brood
