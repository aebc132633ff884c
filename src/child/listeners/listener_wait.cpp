// SPDX-License-Identifier: MIT
#include "child/listeners/listener_wait.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "brood/error.hpp"
#include "child/child_signals.hpp"

namespace brood {
namespace {

// An event loop may have been woken for several connections before it looked; a thread that waits is woken
// for one. Without a bound the last looks would never end under load.
constexpr unsigned looks_of_loop = 64;

Descriptor new_epoll() {
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw SystemError("epoll_create1", errno);
  return epoll;
}

}  // namespace

ListenerWait::ListenerWait(std::vector<ChildListener> listeners, unsigned threads)
    : listeners_(std::move(listeners)),
      threads_(threads),
      first_listener_(listeners_.front().descriptor),
      dead_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!dead_) throw SystemError("socket", errno);
  if (listeners_.size() > 1 || listeners_.front().wakes_all)
    wait_in_epoll();
  else
    child_signals::wait_on(waits_in_accept_);
}

[[gnu::hot]] std::optional<std::size_t> ListenerWait::wait() const {
  if (!in_epoll_) return 0;
  static std::atomic<unsigned> threads{0};
  thread_local const unsigned thread = threads++;
  epoll_event event{};
  if (::epoll_wait(waits_in_epoll_[thread % threads_], &event, 1, -1) != 1) return {};
  return static_cast<std::size_t>(event.data.u64);
}

void ListenerWait::wait_in_epoll() {
  if (watch_) return;
  std::vector<Descriptor> epolls(threads_);
  std::vector<int> waits_in;
  for (auto& epoll : epolls) {
    epoll = new_epoll();
    waits_in.push_back(epoll.get());
  }
  watch_.emplace(listeners_, waits_in, std::nullopt);
  looks_.assign(listeners_.size(), threads_);
  epolls_ = std::move(epolls);
  waits_in_epoll_ = std::move(waits_in);
  all_in_epoll_ = waits_in_epoll_;
  child_signals::wait_on(all_in_epoll_);
  in_epoll_ = true;  // last: a thread that waits there must be within reach of the handler
}

void ListenerWait::take_away(std::size_t listener) {
  wait_in_epoll();
  watch_->take_away(listener);
}

void ListenerWait::close_listeners() {
  if (watch_)
    watch_->set(false);  // the siblings keep the listeners open, so they would stay in the epoll set
  for (const auto& listener : listeners_) ::dup3(dead_.get(), listener.descriptor, O_CLOEXEC);
}

std::optional<std::size_t> ListenerWait::claim_last_look() {
  const auto found = std::ranges::find_if(looks_, [](unsigned looks) { return looks > 0; });
  if (found == looks_.end()) return {};
  --*found;
  return static_cast<std::size_t>(found - looks_.begin());
}

void ListenerWait::skip_last_looks() { std::ranges::fill(looks_, 0U); }

void ListenerWait::watch_listeners(int epoll, std::uint64_t data) {
  watch_listeners(epoll, data,
                  threads_ > 1 ? ListenerWatch::Reports::arrivals : ListenerWatch::Reports::while_ready);
}

void ListenerWait::watch_listeners(int epoll, std::uint64_t data, ListenerWatch::Reports reports) {
  own_loop_ = true;
  child_signals::wait_on(none_);
  epolls_.clear();
  watch_.emplace(listeners_, std::vector{epoll}, data, reports);
  looks_.assign(listeners_.size(), looks_of_loop);
  child_signals::tell(leave_fd(), watch_->look_fd());
}

int ListenerWait::listener_fd() {
  if (own_loop_) return epolls_.empty() ? -1 : epolls_.front().get();
  Descriptor epoll = new_epoll();
  watch_listeners(epoll.get(), 0, ListenerWatch::Reports::while_ready);  // it stays readable for the others
  epolls_.push_back(std::move(epoll));
  return epolls_.front().get();
}

int ListenerWait::leave_fd() {
  if (!leave_) {
    leave_ = new_event();
    child_signals::tell(leave_.get(), watch_ ? watch_->look_fd() : -1);
  }
  return leave_.get();
}

}  // namespace brood
