// SPDX-License-Identifier: MIT
#include "parent/service_list.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

// Each can grow to as many children as a service has by default.
constexpr std::uint32_t slots_of_reserved = 256;

void add_line(std::string& to, std::string_view line) { to += (to.empty() ? "" : "\n") + std::string(line); }

}  // namespace

std::vector<ServiceShape> ServiceList::shapes(const std::vector<std::unique_ptr<Service>>& services,
                                              std::uint32_t reserved_entries) {
  std::vector<ServiceShape> shapes;
  shapes.reserve(services.size() + reserved_entries);
  for (const auto& service : services) shapes.push_back({service->name(), service->slots_wanted()});
  shapes.resize(services.size() + reserved_entries, {"", slots_of_reserved});
  return shapes;
}

void ServiceList::attach(ServiceHost& host) {
  host_ = &host;
  for (const auto& service : services_) {
    const auto index = host.scoreboard().find(service->name());
    if (!index) throw Error(text("service ", service->name(), " has no place on the scoreboard"));
    service->attach(host, *index);
  }
}

Service* ServiceList::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      services_, [&](const auto& service) { return service->name() == name && !service->removed(); });
  return found == services_.end() ? nullptr : found->get();
}

ServiceList::Outcome ServiceList::reload(std::vector<WantedService> wanted, const std::string& only,
                                         bool all_or_none, Time now) {
  if (all_or_none) prepare(wanted, only);
  Outcome outcome;
  // First, because a removed service may have an address that a new one needs.
  outcome.some_removed = remove_unwanted(wanted, only, now);
  for (auto& each : wanted) {
    if (!only.empty() && each.name != only) continue;
    const bool known = find(each.name) != nullptr;
    try {
      if (!each.configuration) throw ConfigurationError(each.mistakes);
      apply(each, now);
      outcome.applied.push_back(find(each.name));
      continue;
    } catch (const std::exception& error) {
      add_line(outcome.mistakes, error.what());
    }
    outcome.refused.push_back(each.name);
    add_line(outcome.mistakes,
             text("service ", each.name, known ? " keeps its former configuration" : " is left out"));
    if (each.server && removed_one_listens()) waiting_.insert(each.name);
  }
  return outcome;
}

bool ServiceList::remove_unwanted(const std::vector<WantedService>& wanted, const std::string& only,
                                  Time now) {
  bool some_removed = false;
  for (auto& service : services_) {
    const bool concerned = only.empty() || service->name() == only;
    if (!concerned || service->removed() ||
        std::ranges::any_of(wanted, [&](const auto& each) { return each.name == service->name(); }))
      continue;
    service->remove(now);
    some_removed = true;
  }
  return some_removed;
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
    service->reload(std::move(*wanted.configuration), now);
  else
    add(wanted);
}

void ServiceList::add(WantedService& wanted) {
  auto service = std::make_unique<Service>(std::move(*wanted.configuration), wanted.server);
  const Scoreboard& scoreboard = host_->scoreboard();
  auto entry = scoreboard.free_entry(service->slots_wanted());
  if (!entry) entry = scoreboard.free_entry(service->slots_needed());
  if (!entry)
    throw ConfigurationError(text("service ", wanted.name, ": the scoreboard has no place with ",
                                  service->slots_needed(), " slots left; that needs a restart"));
  wanted.server->on_parent_start();
  scoreboard.occupy(*entry, wanted.name);
  service->attach(*host_, *entry);
  service->begin();
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
    host_->scoreboard().vacate(service->index());
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
