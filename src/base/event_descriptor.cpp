// SPDX-License-Identifier: MIT
#include "base/event_descriptor.hpp"

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "brood/error.hpp"

namespace brood {

Descriptor new_event(bool happened) {
  Descriptor event(::eventfd(happened ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw SystemError("eventfd", errno);
  return event;
}

bool tell_event(int event) {
  const std::uint64_t one = 1;
  return event < 0 || ::write(event, &one, sizeof one) == sizeof one;
}

// A process that shares the descriptor may have made it blocking.
void clear_event(int event) {
  std::uint64_t count = 0;
  const iovec where{.iov_base = &count, .iov_len = sizeof count};
  if (::preadv2(event, &where, 1, -1, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP) return;
  // Before Linux 5.8. A failed read means that there is nothing to clear.
  [[maybe_unused]] const auto size = ::read(event, &count, sizeof count);
}

}  // namespace brood
