// SPDX-License-Identifier: MIT
#include "models/programs/become_program.hpp"

#include <linux/close_range.h>
#include <unistd.h>

#include <cerrno>

#include "base/process/exec_words.hpp"
#include "brood/error.hpp"

namespace brood {

void close_at_exec(int first) { ::close_range(static_cast<unsigned>(first), ~0U, CLOSE_RANGE_CLOEXEC); }

void throw_not_run(const ServiceCommand& command, int error_number) {
  throw ConfigurationError(SystemError("run command " + command.program(), error_number).what());
}

void become_program(const ServiceCommand& command) {
  ::execve(command.program().c_str(), ExecWords(command.words).get(), environ);
  throw_not_run(command, errno);
}

}  // namespace brood
