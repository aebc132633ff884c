// SPDX-License-Identifier: MIT
#include "program/running_program.hpp"

#include <unistd.h>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/program_log.hpp"

namespace brood {

std::vector<WantedService> RunningProgram::read_settings() {
  auto wanted = source_.read();
  try_log(log_target(source_.staged()));
  return wanted;
}

std::vector<std::string> RunningProgram::apply_settings(const std::string& only,
                                                        const std::vector<std::string>& refused) {
  for (const auto& service : refused) source_.keep(service);
  auto need_restart = source_.commit(When::running, only);
  for (const auto& line : need_restart) log_warning(line);
  try {
    open_log(log_target(source_.in_force()));
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log goes on as before"));
  }
  return need_restart;
}

ServiceConfiguration RunningProgram::scaled(const std::string& service, const ScaledSettings& changes) {
  return source_.scaled(service, changes);
}

void RunningProgram::close_in_child() {
  daemon_.forget();
  pid_file_.forget();
}

void RunningProgram::report_not_ready() {
  log_error("not ready: children fail; the server goes on trying");
  daemon_.failed(static_cast<int>(ExitCode::sick));
}

void RunningProgram::report_ready(std::string_view addresses) {
  log_info(text("ready: ", name(), " on ", addresses, ", pid ", ::getpid(),
                scoreboard_path_.empty() ? "" : ", scoreboard " + scoreboard_path_));
  daemon_.ready();
}

void RunningProgram::hand_over(HandedOver& to) const {
  to.runtime_directory = started_.runtime_directory;
  to.pid_file = pid_file_.path();
  to.pid_file_descriptor = pid_file_.descriptor();
  to.report_descriptor = daemon_.descriptor();
  to.settings = source_.given();
}

}  // namespace brood
