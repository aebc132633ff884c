// SPDX-License-Identifier: MIT
// The services of a parent. They are found by name. At a reload each takes its new configuration, or is
// added, or is removed, and the others go on. Parent only.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parent/service.hpp"
#include "settings/service_source.hpp"

namespace brood {

// By a reload: "new", "removed", or the settings that have other values, as "listen, user".
struct ServiceChange {
  std::string service, what;
};

class ServiceList {
 public:
  explicit ServiceList(std::vector<std::unique_ptr<Service>> services) : services_(std::move(services)) {}

  // Gives each service its scoreboard: a new one, or that of the former program. `host` outlives the list.
  void attach(ServiceHost& host, const Takeover* takeover);

  // All, with those that were removed and have not ended yet.
  auto begin() const { return services_.begin(); }
  auto end() const { return services_.end(); }
  std::size_t size() const { return services_.size(); }
  // nullptr: no service has that name, or it was removed.
  Service* find(std::string_view name) const;

  InForce in_force() const;  // without the parent's settings

  struct Outcome {
    std::vector<Service*> applied;          // these have their new configuration, or are new
    std::vector<std::string> refused;       // these keep their former configuration, or are left out
    std::string mistakes;                   // why, one a line
    std::vector<std::string> need_restart;  // of those that were applied: settings that wait for one
    std::vector<ServiceChange> changes;     // those that are not as before
    bool some_removed = false;
    bool changed() const { return !applied.empty() || some_removed; }
  };
  // `only`: the service that it is for; "": all. `all_or_none`: if a known service can't open its new
  // listeners, throws Error, and nothing has changed.
  Outcome reload(std::vector<WantedService> wanted, const std::string& only, bool all_or_none, Time now);

  // Forgets the services that were removed and have ended. Returns the names of those that could not be
  // reloaded or added while a removed service still had its listeners, and can be now.
  std::vector<std::string> erase_ended();

  enum class Readiness { waiting, failing, ready };
  // Ready: each service that should run has a child that serves. `all_or_none`: a service that fails is
  // waited for; otherwise it is not, if another one serves.
  Readiness readiness(bool all_or_none) const;
  // If every service has failed: the exit code of the first one's children.
  std::optional<int> failure_of_all() const;

 private:
  void prepare(const std::vector<WantedService>& wanted, const std::string& only);
  void apply(WantedService& wanted, Time now);
  void add(WantedService& wanted);
  bool removed_one_listens() const;
  void remove_unwanted(const std::vector<WantedService>& wanted, const std::string& only, Time now,
                       Outcome& outcome);

  std::vector<std::unique_ptr<Service>> services_;
  std::set<std::string> waiting_;  // could not be reloaded or added while a removed service had its listeners
  ServiceHost* host_ = nullptr;
  std::uint32_t next_position_ = 0;
};

}  // namespace brood
