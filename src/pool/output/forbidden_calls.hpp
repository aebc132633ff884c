// SPDX-License-Identifier: MIT
// The system calls that the sandboxes of a service's children do not allow: each waits until the parent has
// logged and answered it (seccomp(2), SECCOMP_RET_USER_NOTIF). There is a descriptor for each sandbox, which
// all threads and programs of the child share, until the last of them has ended. Parent only, but for
// for_child().
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/sandbox/sandbox_channel.hpp"
#include "brood/descriptor.hpp"

namespace brood {

struct HandedOverSandbox {
  int descriptor = -1;
  pid_t child = 0;
  bool forbids = true;
};

struct HandedOverSandboxes {
  int receiver_descriptor = -1, sender_descriptor = -1;  // -1: there is none
  std::vector<HandedOverSandbox> sandboxes{};
};

// A call that was not allowed. Pure.
struct ForbiddenCall {
  std::string name;  // "": not known
  int number = 0;
  std::uint64_t first = 0, second = 0;  // arguments
};
// "mkdir", "socket (IPv4, type 1)" or "number 700".
std::string describe(const ForbiddenCall& call);
// What to write into sandbox-allow for it; "": nothing.
std::string_view allowed_by(const ForbiddenCall& call);

class ForbiddenCalls {
 public:
  explicit ForbiddenCalls(std::string service) : service_(std::move(service)) {}

  void open();  // before a child is started; does nothing if it is open. Throws SystemError
  // In a fresh child: the end over which it passes the descriptor of its sandbox. The caller owns it.
  Descriptor for_child() { return std::move(channel_.sender); }
  void forget();  // in a child

  HandedOverSandboxes hand_over() const;
  void take_over(SandboxChannel channel);
  void take_over(Descriptor listener, pid_t child, bool forbids);

  // For poll(). read() is for when it can be read.
  pollfd watched() const { return {.fd = paused() ? -1 : events_.get(), .events = POLLIN, .revents = 0}; }
  void read(Time now);
  Time look(Time now);  // returns when to look again

 private:
  struct Sandbox {
    Descriptor listener;
    pid_t child;
    bool forbids;
  };
  struct Reported {
    Time at{};
    std::uint64_t more = 0;
  };

  bool paused() const;
  void watch(const Descriptor& descriptor);
  void remove(int listener);
  bool receive();
  bool answer(const Sandbox& sandbox, Time now);
  void report(const Sandbox& sandbox, const ForbiddenCall& call, pid_t caller, Time now);

  const std::string service_;
  SandboxChannel channel_;
  Descriptor events_;  // of the channel and of all sandboxes
  std::map<int, Sandbox> sandboxes_;
  std::map<std::string, Reported> reported_;
  // A child that makes one call after the other costs the parent a part of a processor at most.
  int answered_ = 0;  // since `period_begun_`
  Time period_begun_{};
};

}  // namespace brood
