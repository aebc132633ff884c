// SPDX-License-Identifier: MIT
// An event loop for patterns in which one thread waits and others work: it hands out each connection that is
// ready, and does not watch it again before it is given back. So a connection has one owner at a time, and
// its answers keep their order. It applies no time limits. See brood_server(3), CHILD.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <brood/child.hpp>
#include <brood/descriptor.hpp>
#include <brood/error.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace patterns {

class OneShotLoop {
 public:
  explicit OneShotLoop(brood::Child& child)
      : child_(child), epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!epoll_ || !wake_) throw brood::SystemError("create an event loop", errno);
    child_.watch_listeners(epoll_.get(), listeners);
    watch(EPOLL_CTL_ADD, child_.leave_fd(), EPOLLIN, leave);
    watch(EPOLL_CTL_ADD, wake_.get(), EPOLLIN, wake);
  }

  // Hands connections to `ready` until the child was told to leave and all of them have ended. Those that are
  // idle then have a second.
  void run(const std::function<void(brood::Connection&)>& ready) {
    using namespace std::chrono;
    constexpr auto never = steady_clock::time_point::max();
    auto last_call = never;
    bool called = false;
    while (!leaving_ || open() > 0) {
      int patience = -1;
      if (last_call != never)
        patience = std::max(0, static_cast<int>(ceil<milliseconds>(last_call - steady_clock::now()).count()));
      std::array<epoll_event, 64> events{};
      const int number = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), patience);
      for (int i = 0; i < number; ++i) on_event(events[static_cast<std::size_t>(i)].data.u64, ready);
      if (leaving_ && !std::exchange(called, true)) last_call = steady_clock::now() + seconds(1);
      if (steady_clock::now() < last_call) continue;
      end_input();
      last_call = never;
    }
  }

  // The rest may be called in any thread, by who has the connection. If `function` returns true, the
  // connection is given back, or closed if its peer has ended and has got all answers; false: somebody else
  // has it now. If `function` throws, the connection is closed.
  template <typename Function>
  void with(brood::Connection& connection, Function function) {
    brood::Outcome outcome = brood::Outcome::served;
    try {
      if (!function()) return;
      const std::uint32_t event = connection.has_output() ? EPOLLOUT : EPOLLIN;
      if (event == EPOLLOUT || !connection.ended())
        return watch(EPOLL_CTL_MOD, connection.descriptor(), event | EPOLLONESHOT, key(connection));
    } catch (const brood::ConnectionError&) {
      outcome = brood::Outcome::peer_gone;
    } catch (const std::exception&) {
      outcome = brood::Outcome::failed;
    }
    finish(connection, outcome);
  }

  // Runs the function in the thread of the loop.
  void post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(function));
    if (posted_.size() == 1) eventfd_write(wake_.get(), 1);
  }

 private:
  static constexpr std::uint64_t listeners = 0, leave = 1, wake = 2;  // no address of a connection
  static std::uint64_t key(brood::Connection& connection) {
    return reinterpret_cast<std::uintptr_t>(&connection);
  }

  void watch(int operation, int descriptor, std::uint32_t events, std::uint64_t data) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    if (epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0)
      throw brood::SystemError("epoll_ctl", errno);
  }

  std::size_t open() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

  void on_event(std::uint64_t data, const std::function<void(brood::Connection&)>& ready) {
    if (data == wake) return run_posted();
    if (data == leave) {
      watch(EPOLL_CTL_DEL, child_.leave_fd(), 0, leave);
      leaving_ = true;
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): epoll keeps pointers and numbers in one place
    if (data != leave && data != listeners) return ready(*reinterpret_cast<brood::Connection*>(data));
    while (auto connection = child_.try_accept()) {
      const int descriptor = connection->descriptor();
      std::unique_lock lock(mutex_);
      auto& added = connections_.try_emplace(descriptor, std::move(*connection)).first->second;
      lock.unlock();
      watch(EPOLL_CTL_ADD, descriptor, EPOLLIN | EPOLLONESHOT, key(added));
      if (!leaving_) return;  // the siblings have their turn
    }
  }

  void run_posted() {
    eventfd_t count = 0;
    eventfd_read(wake_.get(), &count);
    std::unique_lock lock(mutex_);
    const auto posted = std::exchange(posted_, {});
    lock.unlock();
    for (const auto& function : posted) function();
  }

  // What has come is still read and answered.
  void end_input() {
    const std::lock_guard lock(mutex_);
    for (const auto& [descriptor, connection] : connections_) shutdown(descriptor, SHUT_RD);
  }

  void finish(brood::Connection& connection, brood::Outcome outcome) {
    std::unique_lock lock(mutex_);
    auto ended = connections_.extract(connection.descriptor());
    const bool last = connections_.empty();
    lock.unlock();
    child_.finished(std::move(ended.mapped()), outcome);
    if (last) eventfd_write(wake_.get(), 1);
  }

  brood::Child& child_;
  brood::Descriptor epoll_, wake_;
  bool leaving_ = false;
  std::mutex mutex_;
  std::map<int, brood::Connection> connections_;  // by descriptor
  std::vector<std::function<void()>> posted_;
};

}  // namespace patterns
