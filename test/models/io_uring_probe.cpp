// SPDX-License-Identifier: MIT
// Whether the kernel lets this process use io_uring. Exit code: 0 yes, 1 no, and says why.
#include <liburing.h>

#include <cstdio>
#include <cstring>

int main() {
  io_uring ring;
  const int result = io_uring_queue_init(8, &ring, 0);
  if (result == 0) return 0;
  std::printf("%s\n", std::strerror(-result));
  return 1;
}
