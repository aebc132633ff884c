// SPDX-License-Identifier: MIT
// A network in which nothing but the loopback exists: a test may listen on every address there.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "brood/descriptor.hpp"

namespace brood::test {

// This thread, and what it starts, are in it while it exists.
class OwnNetwork {
 public:
  OwnNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    entered_ = before_ && ::unshare(CLONE_NEWNET) == 0 && start_loopback();
    if (!entered_) MESSAGE("skipped: a network of its own can't be had");
  }
  ~OwnNetwork() {
    if (before_) ::setns(before_.get(), CLONE_NEWNET);
  }
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;

  explicit operator bool() const { return entered_; }

 private:
  static bool start_loopback() {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return socket && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }

  const Descriptor before_;
  bool entered_ = false;
};

}  // namespace brood::test
