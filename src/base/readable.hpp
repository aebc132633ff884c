// SPDX-License-Identifier: MIT
// Whether a read would find something now, or an end.
#pragma once

#include <poll.h>

namespace brood {

inline bool readable(int descriptor) {
  pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace brood
