// SPDX-License-Identifier: MIT
// What a service does for its children before they are started, in the fresh process, and for reports with
// their stacks.
#include "base/crash/crash_journal.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/service.hpp"

namespace brood {

void Service::prepare_start() {
  if (configuration_->log_output) output_.open();
  if (configuration_->sandbox.filter) try {
      forbidden_calls_.open();
    } catch (const Error& error) {
      log_error(text("service ", name(),
                     ": no child can be started with its sandbox: ", std::string_view(error.what())));
    }
  const ServiceCommand& command = configuration_->command;
  if (!command.takes_listeners() || command.ready != ReadyOn::notify) return;
  try {
    notices_.open();
  } catch (const Error& error) {
    log_warning(text("service ", name(), ": its programs count as ready when they are executed: ",
                     std::string_view(error.what())));
  }
}

int Service::child_main(std::uint32_t slot, pid_t parent) {
  MappingDescriptors table = kind().copy_for_program(configuration_->command, scoreboard_->descriptors());
  const std::uint32_t log_epoch = host_->facts().log_epoch;
  Descriptor output = output_.for_child();
  if (!configuration_->log_output) output.reset();
  Descriptor sandbox_channel = forbidden_calls_.for_child();
  if (!configuration_->sandbox.filter) sandbox_channel.reset();
  log_.become_log_of_process();
  host_->close_in_child(*this);
  follow_log_epoch(scoreboard_->server().log_epoch, log_epoch);
  set_log_level(level_of(configuration_->log.level));
  ChildSetup setup = setup_of_child(*configuration_);
  setup.server = server_.get();
  setup.scoreboard = &*scoreboard_;
  setup.slot = slot;
  setup.listeners = listeners_.of_a_child();
  setup.parent = parent;
  setup.output = output.release();
  setup.sandbox_channel = sandbox_channel.release();
  if (configuration_->command.ready == ReadyOn::notify) setup.notify_address = notices_.address();
  return kind().run(configuration_->command, std::move(setup), std::move(table));
}

ReportProcess Service::report_process() {
  return {.identity = configuration_->identity,
          .no_new_privileges = configuration_->no_new_privileges,
          .close = [this] {
            log_.become_log_of_process();
            host_->close_in_child(*this);
            listeners_.forget();
            scoreboard_.reset();
            set_log_level(level_of(configuration_->log.level));
          }};
}

CrashReports::Place Service::crash_place() {
  const ScoreboardPlace& place = host_->scoreboards();
  return {.journal = crash_journal_of(place.path), .readers = place.readers, .process = report_process()};
}

SlowReports::Place Service::slow_place() {
  return {.process = report_process(),
          .lasts = [this](const SlowConnection& slow) { return pool().still_serves(slow); }};
}

}  // namespace brood
