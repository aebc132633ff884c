// SPDX-License-Identifier: MIT
#include "pool/memory_need.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/process.hpp"

using namespace brood;

namespace {

constexpr std::uint64_t mib = 1 << 20;

}  // namespace

TEST_CASE("there is a warning when all children that max-clients permits need more than there is") {
  const std::vector<MemoryNeed> needs = {{"web", 100, 5 * mib}, {"mail", 10, mib / 2}};
  CHECK(memory_warning(needs, 2 * mib, {}).empty());
  CHECK(memory_warning(needs, 2 * mib, 507 * mib).empty());
  CHECK(
      memory_warning(needs, 2 * mib, 506 * mib) ==
      "max-clients children need 507 MiB or more (web 100 x 5.0 MiB, mail 10 x 0.5 MiB), and the cgroup has "
      "memory.max = 506 MiB: lower max-clients, or raise that limit");
  CHECK(memory_warning({}, 2 * mib, 3 * mib).empty());
}

TEST_CASE("a child that was forked shares what the parent has") {
  CHECK(memory_of_child(30 * mib, 20 * mib, true) == 10 * mib + mib / 8);
  CHECK(memory_of_child(19 * mib, 20 * mib, true) == mib / 8);
  CHECK(memory_of_child(30 * mib, 20 * mib, false) == 30 * mib + mib / 8);
}

TEST_CASE("the memory of a process is seen from outside") {
  CHECK(anonymous_memory_of(::getpid()).value_or(0) > 0);
  CHECK_FALSE(anonymous_memory_of(0));
}
