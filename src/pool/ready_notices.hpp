// SPDX-License-Identifier: MIT
// Where the programs of a service say that they are ready (sd_notify(3)): a socket with an abstract address,
// which they reach also in another root directory and as another user. Parent only.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"

namespace brood {

class ReadyNotices {
 public:
  void open();  // does nothing if it is open. Throws SystemError
  void take_over(Descriptor socket);
  int descriptor() const { return socket_.get(); }         // -1: it is not open
  const std::string& address() const { return address_; }  // for NOTIFY_SOCKET; "": it is not open
  void forget() { socket_.reset(); }                       // in a child: the address stays

  // For poll(). read() is for when it can be read.
  pollfd watched() const { return {.fd = paused_ ? -1 : socket_.get(), .events = POLLIN, .revents = 0}; }
  using Ready = std::function<void(pid_t sender)>;
  void read(const Ready& ready, Time now);
  Time look(const Ready& ready, Time now);  // returns when to look again

 private:
  std::string address_;
  Descriptor socket_;
  bool paused_ = false;  // anybody may write to it, and as fast as it likes
  Time read_again_{};
};

}  // namespace brood
