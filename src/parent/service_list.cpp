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

void ServiceList::settle(const Scoreboard& scoreboard, const ParentLock& lock, int wake_fd,
                         std::function<void(const Service& of)> in_child) {
  scoreboard_ = &scoreboard;
  lock_ = &lock;
  wake_fd_ = wake_fd;
  in_child_ = std::move(in_child);
  for (const auto& service : services_) {
    const auto index = scoreboard.find(service->name());
    if (!index) throw Error(text("service ", service->name(), " has no place on the scoreboard"));
    service->settle(scoreboard, lock, *index, wake_fd, in_child_);
  }
}

Service* ServiceList::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      services_, [&](const auto& service) { return service->name() == name && !service->dismissed(); });
  return found == services_.end() ? nullptr : found->get();
}

ServiceList::Outcome ServiceList::reload(std::vector<WantedService> wanted, const std::string& only,
                                         bool all_or_none, Time now) {
  if (all_or_none) prepare(wanted, only);
  Outcome outcome;
  // First: one that goes may be in the way of one that comes.
  outcome.some_go = dismiss_unwanted(wanted, only, now);
  for (auto& each : wanted) {
    if (!only.empty() && each.name != only) continue;
    const bool known = find(each.name) != nullptr;
    try {
      if (!each.configuration) throw ConfigurationError(each.mistakes);
      take(each, now);
      outcome.taken.push_back(find(each.name));
      continue;
    } catch (const std::exception& error) {
      add_line(outcome.mistakes, error.what());
    }
    outcome.refused.push_back(each.name);
    add_line(outcome.mistakes, text("service ", each.name,
                                    known ? " takes nothing new: it goes on as before" : " is left out"));
    if (each.server && place_is_held()) waiting_.insert(each.name);
  }
  return outcome;
}

bool ServiceList::dismiss_unwanted(const std::vector<WantedService>& wanted, const std::string& only,
                                   Time now) {
  bool some_go = false;
  for (auto& service : services_) {
    const bool concerned = only.empty() || service->name() == only;
    if (!concerned || service->dismissed() ||
        std::ranges::any_of(wanted, [&](const auto& each) { return each.name == service->name(); }))
      continue;
    service->dismiss(now);
    some_go = true;
  }
  return some_go;
}

// What is new of each, before any of them changes.
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

void ServiceList::take(WantedService& wanted, Time now) {
  if (Service* service = find(wanted.name))
    service->reload(std::move(*wanted.configuration), now);
  else
    add(wanted);
}

void ServiceList::add(WantedService& wanted) {
  auto service = std::make_unique<Service>(std::move(*wanted.configuration), wanted.server);
  auto entry = scoreboard_->free_entry(service->slots_wanted());
  if (!entry) entry = scoreboard_->free_entry(service->slots_needed());
  if (!entry)
    throw ConfigurationError(text("service ", wanted.name, ": the scoreboard has no place with ",
                                  service->slots_needed(), " slots left; that needs a restart"));
  wanted.server->on_parent_start();
  scoreboard_->occupy(*entry, wanted.name);
  service->settle(*scoreboard_, *lock_, *entry, wake_fd_, in_child_);
  service->begin();
  log_info(text("service ", wanted.name, ": new, on ", service->addresses()));
  services_.push_back(std::move(service));
}

// One that goes may have an address still that another one wants.
bool ServiceList::place_is_held() const {
  return std::ranges::any_of(
      services_, [](const auto& service) { return service->dismissed() && service->holds_listeners(); });
}

std::vector<std::string> ServiceList::drop_ended() {
  std::erase_if(services_, [&](const auto& service) {
    if (!service->dismissed() || !service->ended() || service->pool().count() > 0) return false;
    scoreboard_->vacate(service->index());
    log_info(text("service ", service->name(), ": has ended"));
    return true;
  });
  if (waiting_.empty() || place_is_held()) return {};
  const auto may_come = std::exchange(waiting_, {});
  return {may_come.begin(), may_come.end()};
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

std::optional<int> ServiceList::hopeless() const {
  std::optional<int> exit_code;
  for (const auto& service : services_) {
    if (service->dismissed()) continue;
    if (!service->fatal_exit()) return {};
    if (!exit_code) exit_code = service->fatal_exit();
  }
  return exit_code;
}

}  // namespace brood
