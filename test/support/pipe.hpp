// SPDX-License-Identifier: MIT
// The two ends of a pipe, which an executed program does not inherit.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "brood/descriptor.hpp"

namespace brood::test {

struct Pipe {
  Descriptor reader, writer;

  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
};

}  // namespace brood::test
