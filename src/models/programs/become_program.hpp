// SPDX-License-Identifier: MIT
// How a process becomes the program of a service, whatever that program is given.
#pragma once

#include "base/service/service_command.hpp"

namespace brood {

// exec() closes the descriptors from `first` on. Allocates nothing: also between fork() and exec() of a
// process that has threads.
void close_at_exec(int first);

// Throws ConfigurationError: the program could not be run.
[[noreturn]] void throw_not_run(const ServiceCommand& command, int error_number);

// With the environment of this process. Throws ConfigurationError.
[[noreturn]] void become_program(const ServiceCommand& command);

}  // namespace brood
