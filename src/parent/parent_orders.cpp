// SPDX-License-Identifier: MIT
// What can be ordered of the parent, except to stop: reload, reopen the log, scale, upgrade. With an upgrade
// the parent hands over what it has to the next program of its process, and takes over from the former one.
#include <algorithm>
#include <iterator>

#include "base/address.hpp"
#include "base/log/log_target.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "listen/inherited.hpp"
#include "listen/listen_trial.hpp"
#include "parent/parent.hpp"
#include "settings/scaling.hpp"

namespace brood {
namespace {

void log_lines(std::string_view lines) {
  for (const auto line : split(lines, '\n')) log_error(line);
}

// In one line, whatever the number of services.
std::string summary(const std::vector<ServiceChange>& changes) {
  if (changes.empty()) return "no setting of a service has changed";
  constexpr std::size_t most_named = 20;
  std::string named = "changed: ";
  for (std::size_t i = 0; i < changes.size() && i < most_named; ++i)
    named += text(i == 0 ? "" : ", ", changes[i].service, " (", changes[i].what, ')');
  return changes.size() <= most_named ? named : text(named, " and ", changes.size() - most_named, " more");
}

// The file cannot be made again if its last name is gone: the children write to the former one.
void look_at_scoreboard(const Scoreboard& scoreboard, const std::string& path) {
  if (path.empty() || scoreboard.has_file()) return;
  if (scoreboard.give_name_again())
    log_warning(text("scoreboard ", path, " was removed or replaced; it has its name again"));
  else
    log_error(text("scoreboard ", path,
                   " was removed or replaced: broodctl can't see it until the server is restarted"));
}

}  // namespace

// In a process of its own.
void Parent::look_up_all(const std::string& restarted) {
  InForce in_force = services_.in_force();
  in_force.restarted = restarted;
  close_all_in_process();
  for (const auto& wanted : program_.read_settings(std::move(in_force)).services) {
    if (!wanted.configuration) continue;
    if (const Service* const service = services_.find(wanted.name))
      service->look_up_addresses(*wanted.configuration, wanted.name == restarted);
    else
      std::ranges::for_each(wanted.configuration->listen_specs, try_to_resolve);
  }
}

void Parent::when_looked_up(const std::string& restarted,
                            std::function<void(const std::string& failure)> then) {
  readings_.add({"", [this, restarted] { look_up_all(restarted); }, std::move(then)}, Clock::now());
}

// One that waits reads what is there when it begins: it is enough for two.
void Parent::reload_when_looked_up(const std::string& only) {
  const std::string name = reload_name(only);
  if (stopping() || readings_.waits(name)) return;
  readings_.add({name, [this] { look_up_all(""); },
                 [this, only](const std::string& failure) { try_reload(only, failure); }},
                Clock::now());
}

void Parent::look_up_to_start(const Service& service) {
  const std::string name = "start " + service.name();
  if (stopping() || readings_.has(name)) return;
  readings_.add({name, [this, its = service.name()] { look_up_all(its); },
                 [this, its = service.name()](const std::string& failure) {
                   if (Service* const found = services_.find(its)) found->start_again(failure, Clock::now());
                 }},
                Clock::now());
}

void Parent::try_reload(const std::string& only, const std::string& failure) {
  try {
    if (!failure.empty()) throw Error(failure);
    reload(only);
  } catch (...) {
    log_lines(what_was_thrown());
    log_error("reload refused: nothing has changed");
  }
}

void Parent::try_reopen() {
  try {
    reopen_logs();
  } catch (const Error& error) {
    for (const auto line : split(error.what(), '\n'))
      log_error(text(line, "; the log is still written to the old file"));
  }
}

ServerOrders::Reloaded Parent::reload(const std::string& only) {
  if (stopping()) return {};
  WantedSettings wanted = program_.read_settings(services_.in_force());
  Reloaded outcome =
      services_.reload(std::move(wanted.services), only, program_.rules().all_or_none, Clock::now());
  if (!outcome.changed() && outcome.mistakes.empty()) return outcome;  // no service has that name
  if (!outcome.changed()) throw ConfigurationError(outcome.mistakes);
  if (!outcome.mistakes.empty()) log_lines(outcome.mistakes);
  if (only.empty()) {
    program_.apply_settings(std::move(wanted.parent));
    std::ranges::move(wanted.need_restart, std::back_inserter(outcome.need_restart));
  }
  ++reporter_epoch_;
  for (const auto& line : outcome.need_restart) log_warning(line);
  for (Service* service : outcome.applied) service->call_reload_hook();
  if (only.empty()) try_reopen();
  look_at_files();
  log_info(text(only.empty() ? "reloaded" : "reloaded service " + only, ": ", summary(outcome.changes),
                "; children of older generations are replaced"));
  return outcome;
}

// Their names are in directories that others may be able to write to.
void Parent::look_at_files() {
  program_.look_at_files();
  control_.look_at_path(scoreboards().path);
  for (const auto& service : services_)
    if (!service->removed()) look_at_scoreboard(service->scoreboard(), scoreboards().of(service->name()));
  if (server_file_) look_at_scoreboard(*server_file_, scoreboards().of_server());
}

void Parent::check() const {
  std::vector<std::string> mistakes;
  for (const auto& wanted : program_.read_settings(services_.in_force()).services) try {
      if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
      if (const Service* service = services_.find(wanted.name))
        service->try_reload(*wanted.configuration);
      else
        std::ranges::for_each(wanted.configuration->listen_specs, try_listener);
    } catch (const Error& error) {
      mistakes.emplace_back(error.what());
    }
  if (!mistakes.empty()) throw ConfigurationError(join(mistakes));
}

WantedService Parent::read_to_start(const Service& service) const {
  InForce in_force = services_.in_force();
  in_force.restarted = service.name();
  WantedSettings all = program_.read_settings(std::move(in_force));
  WantedService* const wanted = all.find(service.name());
  if (wanted == nullptr)
    throw ConfigurationError(text("service ", service.name(), " is no longer configured: a reload ends it"));
  if (!wanted->configuration) throw ConfigurationError(wanted->mistakes);
  service.check(*wanted->configuration);
  return std::move(*wanted);
}

std::vector<ServerOrders::Change> Parent::scale(Service& service, const ScaledSettings& changes) {
  check_scalable(changes, service.configuration());
  ScaledSettings all = service.configuration().scaled;
  for (const auto& [setting, value] : changes) all[setting] = value;
  // The defaults of a table are the values that its fields had when it was made.
  Settings before;
  ServiceConfiguration present = service.configuration();
  add_service_settings(before, present);
  service.scale(program_.scale(service.configuration(), all).configuration);
  std::vector<Change> changed;
  for (const auto& [setting, value] : changes)
    changed.push_back({setting, before.find(setting)->defaults.front(), value});
  return changed;
}

// One that can't be opened does not keep the others from being opened.
void Parent::reopen_logs() {
  std::vector<std::string> mistakes;
  const auto try_each = [&](const auto& reopen) {
    try {
      reopen();
    } catch (const Error& error) {
      mistakes.emplace_back(error.what());
    }
  };
  try_each([] { reopen_log(); });
  for (const auto& service : services_) try_each([&] { service->reopen_log(); });
  ++reporter_epoch_;
  ++facts_.log_epoch;  // a child that sees it opens the log again before it writes
  publish_facts();
  if (!mistakes.empty()) throw Error(join(mistakes));
}

void Parent::upgrade() {
  if (stopping()) return upgrade_.refuse("the server stops");
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
  to.scoreboard = scoreboards().path;
  if (server_file_) to.server_file = HandedOverScoreboard::of(*server_file_, scoreboards().of_server());
  to.control = control_.hand_over();
  if (const LogChannel* const channel = channel_of_log()) to.log_channel = channel->descriptors();
  to.asker_descriptors = control_.clients_to_hand_over();
  to.inherited_descriptors = kept_inherited();
  for (const auto& service : services_) to.services.push_back(service->hand_over());
  return to;
}

void Parent::take_over(Takeover& takeover) {
  const HandedOver& from = *takeover.handed_over();
  const Time now = Clock::now();
  unsigned children = 0;
  for (const auto& service : services_) {
    service->take_over(takeover, now);
    children += service->pool().count();
  }
  takeover.claim_log_channel(channel_of_log(), from.log_channel);
  control_.take_over(takeover, orders_.outcome_of_upgrade());
  for (const int descriptor : from.inherited_descriptors) give_back_inherited(takeover.claim(descriptor));
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
    ++facts_.upgrades;
    publish_facts();
  }
  takeover.accept();
  look_at_files();
}

}  // namespace brood
