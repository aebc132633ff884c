// SPDX-License-Identifier: MIT
// An epoll set (epoll(7)) whose events are told apart by a number. Owns no descriptor but its own.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <optional>
#include <span>

#include "brood/descriptor.hpp"

namespace brood {

class EpollSet {
 public:
  EpollSet();  // like the others, throws SystemError

  int descriptor() const { return epoll_.get(); }
  void add(int descriptor, std::uint32_t events, std::uint64_t key) const;
  void change(int descriptor, std::uint32_t events, std::uint64_t key) const;
  void remove(int descriptor) const;
  // The same for one that may be gone: a handler may have closed it.
  void forget(int descriptor) const noexcept;

  // Waits for events. Returns those that came: none, if a signal ended the wait.
  std::span<const epoll_event> wait(std::span<epoll_event> room) const { return wait(room, -1); }
  // Those that are there now.
  std::span<const epoll_event> poll(std::span<epoll_event> room) const { return wait(room, 0); }

 private:
  std::span<const epoll_event> wait(std::span<epoll_event> room, int milliseconds) const;
  void control(int operation, int descriptor, std::uint32_t events, std::uint64_t key) const;

  Descriptor epoll_;
};

// A set of this process that watches `descriptor`, and what it reports with its events. Empty: there is none,
// or no /proc. Source: proc(5), /proc/PID/fdinfo.
struct EpollEntry {
  int epoll;
  std::uint64_t data;
};
std::optional<EpollEntry> find_epoll_entry(int descriptor);

}  // namespace brood
