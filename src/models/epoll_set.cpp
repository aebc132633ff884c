// SPDX-License-Identifier: MIT
#include "models/epoll_set.hpp"

#include <cerrno>

#include "brood/error.hpp"

namespace brood {

EpollSet::EpollSet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw SystemError("epoll_create1", errno);
}

void EpollSet::add(int descriptor, std::uint32_t events, std::uint64_t key) const {
  control(EPOLL_CTL_ADD, descriptor, events, key);
}

void EpollSet::change(int descriptor, std::uint32_t events, std::uint64_t key) const {
  control(EPOLL_CTL_MOD, descriptor, events, key);
}

void EpollSet::remove(int descriptor) const { control(EPOLL_CTL_DEL, descriptor, 0, 0); }

void EpollSet::control(int operation, int descriptor, std::uint32_t events, std::uint64_t key) const {
  epoll_event event{.events = events, .data = {.u64 = key}};
  if (::epoll_ctl(epoll_.get(), operation, descriptor, &event) != 0) throw SystemError("epoll_ctl", errno);
}

std::span<const epoll_event> EpollSet::wait(std::span<epoll_event> room) const {
  const int number = ::epoll_wait(epoll_.get(), room.data(), static_cast<int>(room.size()), -1);
  if (number >= 0) return room.first(static_cast<std::size_t>(number));
  if (errno != EINTR) throw SystemError("epoll_wait", errno);
  return {};
}

}  // namespace brood
