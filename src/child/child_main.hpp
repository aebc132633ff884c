// SPDX-License-Identifier: MIT
// The life of a child, from fork to exit code. The caller has given up what is the parent's alone.
#pragma once

#include <functional>

#include "child/child_process.hpp"

namespace brood {

int child_main(const ChildSetup& setup);

// Its first step: as whom it lives, and not without its parent. False: that is gone.
bool enter(const ChildSetup& setup);
// A hook that prepares it: an exception of no kind of the kit's means that the next child may do better.
void call_start_hook(const char* name, const std::function<void()>& hook);
// What a child's exception means for its parent; it is logged.
int exit_code_of(const std::function<void()>& body);

}  // namespace brood
