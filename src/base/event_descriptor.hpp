// SPDX-License-Identifier: MIT
// A descriptor that is readable once something has happened (eventfd(2)): how processes and threads of a
// server are woken that wait for several things.
#pragma once

#include <poll.h>

#include "brood/descriptor.hpp"

namespace brood {

Descriptor new_event(bool happened = false);  // throws SystemError
// In a signal handler, too. -1: nobody is to be told. False with errno: it can't be told, or was told so
// often that it is readable anyway.
bool tell_event(int event);
// Until it happens again. Never waits.
void clear_event(int event);

// Whether a read of any descriptor would find something now, or an end.
inline bool readable(int descriptor) {
  pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace brood
