// SPDX-License-Identifier: MIT
#include "program/start_trial.hpp"

#include <functional>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "listen/listen_trial.hpp"
#include "program/files/scoreboard_path.hpp"
#include "program/program_log.hpp"

namespace brood {

void try_start(const WantedSettings& wanted) {
  std::vector<std::string> mistakes;
  const auto attempt = [&](const std::string& what, const std::function<void()>& step) {
    try {
      step();
    } catch (const Error& error) {
      mistakes.push_back(what + ": " + error.what());
    }
  };
  const Configuration& parent = *wanted.parent;
  if (!parent.pid_file.empty())
    attempt("pid-file = " + parent.pid_file, [&] { try_directory_of(parent.pid_file); });
  if (!parent.status_listen.empty())
    attempt("status-listen = " + parent.status_listen,
            [&] { try_listener(status_address(parent.status_listen)); });
  for (const auto& service : wanted.services) {
    if (!service.configuration) continue;
    for (const auto& spec : service.configuration->listen_specs)
      attempt("service " + service.name, [&] { try_listener(spec); });
  }
  if (!mistakes.empty()) throw ConfigurationError(join(mistakes));
  if (const std::string fault = fault_of_runtime_directory(parent); !fault.empty())
    print_errors("no scoreboard for broodctl: " + fault);
}

}  // namespace brood
