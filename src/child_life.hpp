// SPDX-License-Identifier: MIT
// The life of a child, from fork to exit code. The caller has given up what is the parent's alone.
#pragma once

#include <functional>

#include "child_process.hpp"

namespace brood {

int live(const ChildBirth& birth);

// Its first step: as whom it lives, and not without its parent. False: that is gone.
bool enter(const ChildBirth& birth);
// What a child's exception means for its parent; it is logged.
int exit_code_of(const std::function<void()>& life);

}  // namespace brood
