// SPDX-License-Identifier: MIT
#include "program/running_program.hpp"

#include <unistd.h>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "program/program_log.hpp"
#include "program/surroundings.hpp"

namespace brood {

WantedSettings RunningProgram::read_settings(InForce in_force) const {
  in_force.parent = in_force_;
  WantedSettings wanted = source_.read(in_force);
  if (wanted.parent->daemonize) check_paths_of_background(source_, wanted);
  look_up_log(log_target(*wanted.parent));
  for (auto& service : wanted.services) look_up_log(service, *wanted.parent);
  return wanted;
}

void RunningProgram::apply_settings(std::shared_ptr<const Configuration> parent) {
  in_force_ = std::move(parent);
  try {
    open_log(log_target(*in_force_));
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log goes on as before"));
  }
  try {
    status_.change(in_force_->status_listen);
  } catch (const Error& error) {
    log_error(text("status-listen: ", std::string_view(error.what()), "; it goes on as before"));
  }
}

void RunningProgram::close_in_child() {
  daemon_.forget();
  pid_file_.forget();
  name_claim_.forget();
  manager_.forget();
  status_.forget();
  source_.environment().leave();
}

void RunningProgram::report_not_ready() {
  log_error("not ready: children fail; the server goes on trying");
  daemon_.failed(static_cast<int>(ExitCode::sick));
}

void RunningProgram::report_ready(std::string_view addresses) {
  log_info(text("ready: ", name(), " on ", addresses, ", pid ", ::getpid(),
                scoreboards_.path.empty() ? "" : ", scoreboard " + scoreboards_.path));
  daemon_.ready();
}

void RunningProgram::hand_over(HandedOver& to) const {
  to.runtime_directory = in_force_->runtime_directory;
  to.pid_file = pid_file_.path();
  to.pid_file_descriptor = pid_file_.descriptor();
  to.name_descriptor = name_claim_.descriptor();
  to.report_descriptor = daemon_.descriptor();
  to.settings = in_force_->given;
  to.status_listeners = status_.hand_over();
}

}  // namespace brood
