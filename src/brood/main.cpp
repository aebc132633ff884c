// SPDX-License-Identifier: MIT
// The program brood: a parent whose services are the files of a directory. Each runs a program or is built
// in.
#include <algorithm>
#include <cstdio>
#include <span>

#include "base/text.hpp"
#include "base/text/version.hpp"
#include "brood/error.hpp"
#include "directory_settings.hpp"
#include "models/programs/child_handover.hpp"
#include "program/files/scoreboard_path.hpp"
#include "program/run.hpp"
#include "server_options.hpp"

namespace {

using namespace brood;

int help(std::span<const char* const> arguments) {
  std::vector<ServicePath> services;
  try {
    services = ConfigDirectory(directory_named_in(arguments)).services();
  } catch (const Error&) {
    // The help then lists no services.
  }
  std::fputs(ServerOptions(services).help().c_str(), stdout);
  return 0;
}

// --try-lock, for scripts that start a server. 0: none is running.
int try_lock(const Configuration& configuration) {
  if (configuration.runtime_directory == "none")
    throw ConfigurationError("runtime-directory = none: it is not possible to see whether a server runs");
  const auto running = running_server(configuration);
  if (!running) return 0;
  std::puts(text("server ", configuration.name,
                 running->stopping ? " is stopping, process " : " is running as process ",
                 running->pid > 0 ? text(running->pid) : "?")
                .c_str());
  return 1;
}

// The services that the command line may name. A former program that gets everything back goes on with those
// that it had, whatever has happened to the directory since.
std::vector<ServicePath> services_of(const ConfigDirectory& directory, Takeover& takeover) {
  if (!takeover.given_back()) return directory.services();
  std::vector<ServicePath> services;
  try {
    services = directory.services();
  } catch (const Error&) {
    // Those that were handed over are known.
  }
  for (const auto& service : takeover.handed_over()->services)
    if (std::ranges::find(services, service.name, &ServicePath::service) == services.end())
      services.push_back({service.name, ""});
  return services;
}

int run(std::span<const char* const> arguments, Takeover& takeover) {
  for (const std::string_view word : arguments) {
    if (word == "--help" || word == "-h") return help(arguments);
    if (word == "--version") {
      std::fputs(version_line("brood").c_str(), stdout);
      return 0;
    }
  }
  if (read_handover(child_variable))
    throw ConfigurationError("a program that runs programs can't take a child's slot: name its own command");
  const ConfigDirectory directory(directory_named_in(arguments));
  const CommandLine line = ServerOptions(services_of(directory, takeover)).parse(arguments);
  DirectorySettings settings(directory);
  if (line.options.contains("try-lock")) {
    settings.take(line);
    return try_lock(settings.read_shared());
  }
  return run_source(settings, line, takeover);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program(argc, argv, [&](Takeover& takeover) {
    const std::span<const char* const> arguments(argv, static_cast<std::size_t>(argc));
    return run(arguments.subspan(argc > 0 ? 1 : 0), takeover);
  });
}
