// SPDX-License-Identifier: MIT
// What can be ordered of the parent, except to stop: reload, reopen the log, scale, upgrade. With an upgrade
// the parent hands over what it has to the next program of its process, and takes over from the former one.
#include "base/log_target.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "parent/parent.hpp"

namespace brood {
namespace {

void log_lines(std::string_view lines) {
  for (const auto line : split(lines, '\n')) log_error(line);
}

void call_reload_hooks(const std::vector<Service*>& services) {
  for (Service* service : services) try {
      service->server().on_reload();
    } catch (...) {
      log_error(text("reload: ", what_was_thrown()));
    }
}

}  // namespace

void Parent::try_reload(const std::string& only) {
  try {
    reload(only);
  } catch (const Error& error) {
    log_lines(error.what());
    log_error("reload refused: nothing has changed");
  }
}

void Parent::try_reopen() {
  try {
    reopen_logs();
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log is still written to the old file"));
  }
}

ServerOrders::Reloaded Parent::reload(const std::string& only) {
  if (stopping_) return {};
  Reloaded outcome{
      services_.reload(program_.read_settings(), only, program_.rules().all_or_none, Clock::now()), {}};
  if (!outcome.changed() && outcome.mistakes.empty()) return outcome;  // no service has that name
  if (!outcome.changed()) throw ConfigurationError(outcome.mistakes);
  if (!outcome.mistakes.empty()) log_lines(outcome.mistakes);
  try {
    outcome.need_restart = program_.apply_settings(only, outcome.refused);
  } catch (const std::exception& error) {
    log_error(text("reload: ", std::string_view(error.what())));
  }
  call_reload_hooks(outcome.applied);
  if (only.empty()) try_reopen();
  log_info(text(only.empty() ? "reloaded" : "reloaded service " + only,
                ": children of older generations are replaced"));
  return outcome;
}

void Parent::check() const {
  std::vector<std::string> mistakes;
  for (const auto& wanted : program_.read_settings()) try {
      if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
      if (const Service* service = services_.find(wanted.name)) service->check(*wanted.configuration);
    } catch (const Error& error) {
      mistakes.emplace_back(error.what());
    }
  if (!mistakes.empty()) throw ConfigurationError(join(mistakes));
}

std::vector<ServerOrders::Change> Parent::scale(Service& service, const ScaledSettings& changes) {
  check_scalable(changes, service.configuration());
  ScaledSettings all = service.scaled();
  for (const auto& [setting, value] : changes) all[setting] = value;
  const ServiceConfiguration scaled = program_.scaled(service.name(), all);
  // The defaults of a table are the values that its fields had when it was made.
  Settings before;
  ServiceConfiguration present = service.configuration();
  add_service_settings(before, present);
  service.scale(scaled, std::move(all));
  std::vector<Change> changed;
  for (const auto& [setting, value] : changes)
    changed.push_back({setting, before.find(setting)->defaults.front(), value});
  return changed;
}

void Parent::reopen_logs() {
  reopen_log();
  auto& epoch = scoreboard_.orders().log_epoch;
  epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // The parent has opened its log again, and new children inherit it.
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

void Parent::upgrade() {
  if (stopping_) return upgrade_.refuse("the server stops");
  upgrade_.begin(Clock::now());
}

ServerOrders::UpgradeOutcome Parent::last_upgrade() const {
  using State = UpgradeOutcome::State;
  if (upgrade_.under_way()) return {State::under_way, ""};
  if (!upgrade_.refused().empty()) return {State::refused, upgrade_.refused()};
  return taken_over_;
}

HandedOver Parent::hand_over() const {
  HandedOver to;
  program_.hand_over(to);
  to.name = program_.name();
  to.program = program_.executable().path();
  to.ready = ready_;
  to.reported_not_ready = reported_not_ready_;
  to.scoreboard = program_.scoreboard_path();
  to.whole_descriptor = scoreboard_.descriptors().whole.get();
  to.read_only_descriptor = scoreboard_.descriptors().read_only.get();
  to.wake_descriptor = wake_.get();
  to.control = control_.hand_over();
  to.asker_descriptors = control_.clients_to_hand_over();
  for (const auto& service : services_) to.services.push_back(service->hand_over());
  return to;
}

void Parent::take_over(Takeover& takeover) {
  const HandedOver& from = *takeover.handed_over();
  const Time now = Clock::now();
  if (takeover.given_back()) scale_again(takeover);
  unsigned children = 0;
  for (const auto& service : services_) {
    service->take_over(takeover, now);
    children += service->pool().count();
  }
  control_.take_over(takeover, orders_.outcome_of_upgrade());
  ready_ = from.ready;
  reported_not_ready_ = from.reported_not_ready;
  using State = UpgradeOutcome::State;
  if (takeover.given_back()) {
    taken_over_ = {State::refused, from.refused};
    log_error(text("upgrade refused: ", from.refused, "; the former program goes on"));
  } else {
    taken_over_ = {State::done, text(program_.executable().path(), " took over ", children, " children of ",
                                     services_.size(), " service(s)")};
    log_info("upgraded: " + taken_over_.message);
    add(scoreboard_.orders().upgrades, 1);
  }
  takeover.accept();
}

// Before the services take over, because that sets the generation.
void Parent::scale_again(const Takeover& takeover) {
  for (const auto& service : services_) try {
      if (const auto& scaled = takeover.find(service->name())->scaled; !scaled.empty())
        scale(*service, scaled);
    } catch (const Error& error) {
      log_error(text("service ", service->name(),
                     ": its scaled limits are lost: ", std::string_view(error.what())));
    }
}

}  // namespace brood
