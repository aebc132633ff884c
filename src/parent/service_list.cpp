// SPDX-License-Identifier: MIT
#include "parent/service_list.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "settings/scaling.hpp"

namespace brood {
namespace {

void add_line(std::string& to, std::string_view line) { to += (to.empty() ? "" : "\n") + std::string(line); }

// "": nothing.
std::string what_changes(const Service* known, const WantedService& wanted) {
  if (known == nullptr) return "new";
  if (!wanted.configuration) return "";
  GivenSettings before = given_by(known->configuration().scaled);
  before.insert(known->configuration().given.begin(), known->configuration().given.end());
  return join(differing(before, wanted.configuration->given), ", ");
}

}  // namespace

void ServiceList::attach(ServiceHost& host, const Takeover* takeover) {
  host_ = &host;
  for (const auto& service : services_) {
    if (takeover != nullptr)
      service->attach(host, *takeover);
    else
      service->attach(host, next_position_);
    next_position_ = std::max(next_position_, service->scoreboard().service().position + 1);
  }
}

Service* ServiceList::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      services_, [&](const auto& service) { return service->name() == name && !service->removed(); });
  return found == services_.end() ? nullptr : found->get();
}

InForce ServiceList::in_force() const {
  InForce in_force;
  for (const auto& service : services_)
    if (!service->removed()) in_force.services[service->name()] = service->in_force();
  return in_force;
}

ServiceList::Outcome ServiceList::reload(std::vector<WantedService> wanted, const std::string& only,
                                         bool all_or_none, Time now) {
  if (all_or_none) prepare(wanted, only);
  Outcome outcome;
  // First, because a removed service may have an address that a new one needs.
  remove_unwanted(wanted, only, now, outcome);
  for (auto& each : wanted) {
    if (!only.empty() && each.name != only) continue;
    const Service* const known = find(each.name);
    const std::string change = what_changes(known, each);
    const bool right = each.configuration != nullptr;
    try {
      if (!right) throw ConfigurationError(each.mistakes);
      apply(each, now);
      outcome.applied.push_back(find(each.name));
      if (!change.empty()) outcome.changes.push_back({each.name, change});
      std::ranges::move(each.need_restart, std::back_inserter(outcome.need_restart));
      continue;
    } catch (...) {
      add_line(outcome.mistakes, what_was_thrown());
    }
    outcome.refused.push_back(each.name);
    add_line(outcome.mistakes, text("service ", each.name,
                                    known != nullptr ? " keeps its former configuration" : " is left out"));
    if (right && removed_one_listens()) waiting_.insert(each.name);
  }
  return outcome;
}

void ServiceList::remove_unwanted(const std::vector<WantedService>& wanted, const std::string& only, Time now,
                                  Outcome& outcome) {
  for (auto& service : services_) {
    const bool concerned = only.empty() || service->name() == only;
    if (!concerned || service->removed() ||
        std::ranges::any_of(wanted, [&](const auto& each) { return each.name == service->name(); }))
      continue;
    service->remove(now);
    outcome.some_removed = true;
    outcome.changes.push_back({service->name(), "removed"});
  }
}

// Opens the new listeners of all before any of them changes.
void ServiceList::prepare(const std::vector<WantedService>& wanted, const std::string& only) {
  try {
    for (const auto& each : wanted)
      if (Service* service = find(each.name);
          service != nullptr && each.configuration && (only.empty() || each.name == only))
        service->prepare(*each.configuration);
  } catch (...) {
    for (auto& service : services_) service->forget_prepared();
    throw;
  }
}

void ServiceList::apply(WantedService& wanted, Time now) {
  if (Service* service = find(wanted.name))
    service->reload(wanted, now);
  else
    add(wanted);
}

void ServiceList::add(WantedService& wanted) {
  auto service = std::make_unique<Service>(wanted);
  wanted.server->on_parent_start();
  service->attach(*host_, next_position_++);
  service->begin();
  const LogScope scope(service->log());
  log_info(text("service ", wanted.name, ": new, on ", service->addresses()));
  services_.push_back(std::move(service));
}

bool ServiceList::removed_one_listens() const {
  return std::ranges::any_of(
      services_, [](const auto& service) { return service->removed() && service->holds_listeners(); });
}

std::vector<std::string> ServiceList::erase_ended() {
  std::erase_if(services_, [&](const auto& service) {
    if (!service->removed() || !service->ended() || service->pool().count() > 0) return false;
    service->scoreboard().remove_file();
    const LogScope scope(service->log());
    log_info(text("service ", service->name(), ": has ended"));
    return true;
  });
  if (waiting_.empty() || removed_one_listens()) return {};
  const auto names = std::exchange(waiting_, {});
  return {names.begin(), names.end()};
}

ServiceList::Readiness ServiceList::readiness(bool all_or_none) const {
  unsigned serving = 0, failing = 0, waiting = 0;
  for (const auto& service : services_) {
    if (service->state() != ServiceState::running) continue;
    if (service->ready())
      ++serving;
    else if (service->throttled())
      ++failing;
    else
      ++waiting;
  }
  if (failing > 0 && (all_or_none || serving + waiting == 0)) return Readiness::failing;
  return serving > 0 && waiting == 0 ? Readiness::ready : Readiness::waiting;
}

std::optional<int> ServiceList::failure_of_all() const {
  std::optional<int> exit_code;
  for (const auto& service : services_) {
    if (service->removed()) continue;
    if (!service->fatal_exit()) return {};
    if (!exit_code) exit_code = service->fatal_exit();
  }
  return exit_code;
}

}  // namespace brood
