// SPDX-License-Identifier: MIT
// What runs in a child, from fork to exit code. Before, the caller gives up everything that only the parent
// may use.
#pragma once

#include <functional>
#include <string_view>

#include "brood/error.hpp"
#include "child/child_process.hpp"

namespace brood {

int child_main(ChildSetup setup);

// The first step of a child: takes on its user and root directory, asks for a signal when the parent ends,
// and enters its sandbox. False: the parent is gone.
bool enter(const ChildSetup& setup, int signal_when_orphaned);
// Standard error of this child becomes `output`, unless it is its log. -1: nothing changes. Throws
// SystemError.
void write_errors_to(int output);
// What the hook throws becomes an Error that names the hook: with the code of a brood::Error, or with `code`.
// 71: the parent starts the next child later.
void call_hook(std::string_view name, const std::function<void()>& hook, ExitCode code = ExitCode::sick);
// Runs `body`; logs an exception, and returns the exit code for it.
int exit_code_of(const std::function<void()>& body);

}  // namespace brood
