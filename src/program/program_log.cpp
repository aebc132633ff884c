// SPDX-License-Identifier: MIT
#include "program/program_log.hpp"

#include <unistd.h>

#include <cstdio>

#include "base/log/line_output.hpp"
#include "base/lookup/identity.hpp"
#include "base/lookup/lookups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {

LogTarget log_target(const Configuration& configuration) {
  // no_user: the file is the parent's
  return LogTarget::of(configuration.log, configuration.name, find_identity(configuration.log_user, "").user);
}

namespace {

LogTarget log_target(const ServiceConfiguration& service, const std::string& server) {
  return LogTarget::of(service.log, server, service.identity.user);
}

}  // namespace

void look_up_log(const LogTarget& target) {
  look_up("log", target.to, [&] {
    try_log(target);
    return std::string();
  });
}

void look_up_log(WantedService& service, const Configuration& server) {
  if (!service.configuration) return;
  const LogTarget target = log_target(*service.configuration, server.name);
  if (target.is_same_as(log_target(server))) return;
  try {
    look_up_log(target);
  } catch (const Error& error) {
    service.mistakes = text("service ", service.name, ": ", std::string_view(error.what()));
    service.configuration = nullptr;
  }
}

void try_logs(const WantedSettings& wanted) {
  try_log(log_target(*wanted.parent));
  for (const auto& service : wanted.services)
    if (service.configuration) try_log(log_target(*service.configuration, wanted.parent->name));
}

void print_errors(std::string_view lines) {
  for (const auto line : split(lines, '\n')) std::fprintf(stderr, "%s\n", escape(line).c_str());
}

void report_errors(std::string_view lines, const Configuration& configuration) {
  // Children may run already, so this waits for nobody. The log has the lines.
  LineOutput terminal(STDERR_FILENO);
  for (const auto line : split(lines, '\n')) {
    if (configuration.log.to != "stderr") terminal.write(escape(line) + '\n');
    log_error(line);
  }
}

}  // namespace brood
