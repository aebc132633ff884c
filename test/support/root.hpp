// SPDX-License-Identifier: MIT
// For what only root can do: other users' tests say so and go on without it.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

namespace brood::test {

// `why`: what needs it, where that is not plain from the test's name.
inline bool skipped_without_root(const std::string& why = "") {
  const bool root = ::geteuid() == 0;
  if (!root) MESSAGE("skipped: needs root" << (why.empty() ? "" : ", ") << why);
  return !root;
}

}  // namespace brood::test
