// SPDX-License-Identifier: MIT
#include "base/spawner.hpp"

#include <unistd.h>

#include "brood/error.hpp"

namespace brood {

pid_t spawn(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  // No exception may unwind into the code of the parent.
  try {
    ::_exit(body());
  } catch (...) {
    ::_exit(static_cast<int>(ExitCode::software));
  }
}

}  // namespace brood
