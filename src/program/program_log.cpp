// SPDX-License-Identifier: MIT
#include "program/program_log.hpp"

#include <unistd.h>

#include <cstdio>

#include "base/log/line_output.hpp"
#include "base/lookup/identity.hpp"
#include "base/text.hpp"
#include "brood/log.hpp"

namespace brood {

LogTarget log_target(const Configuration& configuration) {
  return {.name = configuration.name,
          .to = configuration.log,
          .level = level_of(configuration.log_level),
          .owner = find_identity(configuration.log_user, "").user};  // no_user: the file is the parent's
}

void print_errors(std::string_view lines) {
  for (const auto line : split(lines, '\n')) std::fprintf(stderr, "%s\n", escape(line).c_str());
}

void report_errors(std::string_view lines, const Configuration& configuration) {
  // Children may run already, so this waits for nobody. The log has the lines.
  LineOutput terminal(STDERR_FILENO);
  for (const auto line : split(lines, '\n')) {
    if (configuration.log != "stderr") terminal.write(escape(line) + '\n');
    log_error(line);
  }
}

}  // namespace brood
