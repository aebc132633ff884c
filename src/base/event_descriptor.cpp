// SPDX-License-Identifier: MIT
#include "base/event_descriptor.hpp"

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "brood/error.hpp"

namespace brood {

Descriptor new_event(bool happened) {
  Descriptor event(::eventfd(happened ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw SystemError("eventfd", errno);
  return event;
}

bool tell_event(int event, std::uint64_t amount) {
  return event < 0 || ::write(event, &amount, sizeof amount) == sizeof amount;
}

// A process that shares the descriptor may have made it blocking.
std::uint64_t clear_event(int event) {
  std::uint64_t count = 0;
  const iovec where{.iov_base = &count, .iov_len = sizeof count};
  if (::preadv2(event, &where, 1, -1, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP) return count;
  // Before Linux 5.8. A failed read means that there is nothing to clear.
  [[maybe_unused]] const auto size = ::read(event, &count, sizeof count);
  return count;
}

// A signal makes poll() fail even if it does not wait.
short events_now(int descriptor, short events) {
  pollfd state{.fd = descriptor, .events = events, .revents = 0};
  while (::poll(&state, 1, 0) < 0 && errno == EINTR) {
  }
  return state.revents;
}

int poll_until(std::span<pollfd> events, Time until) {
  if (until == never) return ::ppoll(events.data(), events.size(), nullptr, nullptr);
  const Time now = Clock::now();
  const timespec left = to_timespec(std::max(until, now) - now);
  return ::ppoll(events.data(), events.size(), &left, nullptr);
}

bool wait_for_event(int descriptor, short events, Time until) {
  pollfd state{.fd = descriptor, .events = events, .revents = 0};
  for (;;) {
    const int number = poll_until({&state, 1}, until);
    if (number > 0 || (number < 0 && errno != EINTR)) return true;  // what follows finds the error
    if (number == 0) return false;
  }
}

}  // namespace brood
