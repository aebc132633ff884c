// SPDX-License-Identifier: MIT
// A child restricts what it can ask the kernel for. The last step before user code runs, or before the child
// becomes a program.
#pragma once

#include "base/sandbox/sandbox_settings.hpp"
#include "brood/descriptor.hpp"

namespace brood {

// From here on calls that `settings` does not allow wait for the answer of who has the other end of
// `channel` (pool/output/forbidden_calls.hpp), also those of all threads, and of what the process executes.
// Sets no_new_privs. Throws ConfigurationError: what the kernel refuses, and then the child must not go on.
void enter_sandbox(const SandboxSettings& settings, const Descriptor& channel);

}  // namespace brood
