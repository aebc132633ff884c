// SPDX-License-Identifier: MIT
// What runs in a child, from fork to exit code. Before, the caller gives up everything that only the parent
// may use.
#pragma once

#include <functional>

#include "child/child_process.hpp"

namespace brood {

int child_main(const ChildSetup& setup);

// The first step of a child: takes on its user and root directory, and asks for a signal when the parent
// ends. False: the parent is gone.
bool enter(const ChildSetup& setup);
// An exception that is no brood::Error becomes one with exit code 71: the parent starts the next child later.
void call_start_hook(const char* name, const std::function<void()>& hook);
// Runs `body`; logs an exception, and returns the exit code for it.
int exit_code_of(const std::function<void()>& body);

}  // namespace brood
