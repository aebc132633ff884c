// SPDX-License-Identifier: MIT
#include "program/surroundings.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "brood/descriptor.hpp"

using namespace brood;

TEST_CASE("what main() has opened itself stays open, closed at exec or not") {
  const Descriptor inheritable(::open("/dev/null", O_RDONLY));
  const Descriptor own(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  close_left_descriptors({});
  CHECK(::fcntl(inheritable.get(), F_GETFD) == 0);
  CHECK(::fcntl(own.get(), F_GETFD) == FD_CLOEXEC);
}
