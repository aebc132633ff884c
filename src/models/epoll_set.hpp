// SPDX-License-Identifier: MIT
// An epoll set (epoll(7)) whose events are told apart by a number. Owns no descriptor but its own.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
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

  // Waits for events. Returns those that came: none, if a signal ended the wait.
  std::span<const epoll_event> wait(std::span<epoll_event> room) const;

 private:
  void control(int operation, int descriptor, std::uint32_t events, std::uint64_t key) const;

  Descriptor epoll_;
};

}  // namespace brood
