// SPDX-License-Identifier: MIT
// The services of a parent: found by name, and at a reload each takes its new configuration, or comes, or
// goes, without the others noticing. Parent only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parent/service.hpp"
#include "settings/service_source.hpp"

namespace brood {

class ServiceList {
 public:
  explicit ServiceList(std::vector<std::unique_ptr<Service>> services) : services_(std::move(services)) {}

  // On a scoreboard: the services that there are, and entries for some that come later.
  static std::vector<ServiceShape> shapes(const std::vector<std::unique_ptr<Service>>& services,
                                          std::uint32_t reserved_entries);
  // As Service::settle(), for each; what is passed outlives the roster.
  void settle(const Scoreboard& scoreboard, const ParentLock& lock, int wake_fd,
              std::function<void(const Service& of)> in_child);

  // All, also those that are not wanted any more and have not ended yet.
  auto begin() const { return services_.begin(); }
  auto end() const { return services_.end(); }
  std::size_t size() const { return services_.size(); }
  // nullptr: there is none of that name that is wanted.
  Service* find(std::string_view name) const;

  struct Outcome {
    std::vector<Service*> taken;       // these have their new configuration, or are new
    std::vector<std::string> refused;  // these could not: they stay as they were, or away
    std::string mistakes;              // why, in lines
    bool some_go = false;              // some are no longer wanted
    bool changed() const { return !taken.empty() || some_go; }
  };
  // `only`: the service that it is about; "": all. `all_or_none`: where one that is known can't open what is
  // new, throws, and all is as before.
  Outcome reload(std::vector<WantedService> wanted, const std::string& only, bool all_or_none, Time now);

  // Frees what services have that went and have ended. Returns the names of those that could not take what is
  // new, or come, while others held their place, and may now.
  std::vector<std::string> drop_ended();

  enum class Readiness { waiting, failing, ready };
  // Whether a client finds what it looks for: each that can serve does, but for those that were stopped for
  // good. `all_or_none`: one that fails is waited for; otherwise, as long as another one serves, it isn't.
  Readiness readiness(bool all_or_none) const;
  // The exit code with which the children of all ended: there is nothing left to try.
  std::optional<int> hopeless() const;

 private:
  void prepare(const std::vector<WantedService>& wanted, const std::string& only);
  void take(WantedService& wanted, Time now);
  void add(WantedService& wanted);
  bool place_is_held() const;
  bool dismiss_unwanted(const std::vector<WantedService>& wanted, const std::string& only, Time now);

  std::vector<std::unique_ptr<Service>> services_;
  std::set<std::string> waiting_;  // those that could not take theirs while others were on their way out
  const Scoreboard* scoreboard_ = nullptr;
  const ParentLock* lock_ = nullptr;
  int wake_fd_ = -1;
  std::function<void(const Service& of)> in_child_;
};

}  // namespace brood
