// SPDX-License-Identifier: MIT
#include "spawner.hpp"

#include <unistd.h>

namespace brood {

pid_t spawn(const std::function<int()>& life) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::_exit(life());
}

}  // namespace brood
