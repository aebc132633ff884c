// SPDX-License-Identifier: MIT
// What a signal or an operator orders of the parent, beside stopping.
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

}  // namespace

void Parent::try_reload(const std::string& only) {
  try {
    reload(only);
  } catch (const Error& error) {
    log_lines(error.what());
    log_error("reload refused: everything goes on as before");
  }
}

void Parent::try_reopen() {
  try {
    reopen_logs();
  } catch (const Error& error) {
    log_error(text(std::string_view(error.what()), "; the log goes on into the old file"));
  }
}

Parent::Reloaded Parent::reload(const std::string& only) {
  if (stopping_) return {};
  Reloaded outcome{services_.reload(duties_.read_again(), only, duties_.all_or_none, Clock::now()), {}};
  if (!outcome.changed() && outcome.mistakes.empty()) return outcome;  // nothing has that name
  if (!outcome.changed()) throw ConfigurationError(outcome.mistakes);
  if (!outcome.mistakes.empty()) log_lines(outcome.mistakes);
  try {
    outcome.waits = duties_.commit(only, outcome.refused);
  } catch (const std::exception& error) {
    log_error(text("reload: ", std::string_view(error.what())));
  }
  tell_hooks(outcome.taken);
  if (only.empty()) try_reopen();
  log_info(text(only.empty() ? "reloaded" : "reloaded service " + only,
                ": children of older generations are replaced"));
  return outcome;
}

void Parent::tell_hooks(const std::vector<Service*>& services) const {
  for (Service* service : services) try {
      service->server().on_reload();
    } catch (...) {
      log_error(text("reload: ", what_was_thrown()));
    }
}

void Parent::check() const {
  std::vector<std::string> mistakes;
  for (const auto& wanted : duties_.read_again()) try {
      if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
      if (const Service* service = services_.find(wanted.name)) service->check(*wanted.configuration);
    } catch (const Error& error) {
      mistakes.emplace_back(error.what());
    }
  if (!mistakes.empty()) throw ConfigurationError(join(mistakes));
}

std::vector<Parent::Change> Parent::scale(Service& service, const ScaledSettings& changes) {
  check_scalable(changes, service.configuration());
  ScaledSettings all = service.scaled();
  for (const auto& [setting, value] : changes) all[setting] = value;
  const ServiceConfiguration scaled = duties_.scaled(service.name(), all);
  // The defaults of a table are the values that it was made over.
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
  // The parent has done it, and children to come have it from the parent.
  follow_log_epoch(&scoreboard_.header().log_epoch);
}

}  // namespace brood
