// SPDX-License-Identifier: MIT
#include "event_descriptor.hpp"

#include <sys/eventfd.h>
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

void clear_event(int event) {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(event, &count, sizeof count);
}

}  // namespace brood
