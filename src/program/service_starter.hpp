// SPDX-License-Identifier: MIT
// The start of services: opens their listeners and calls their start hooks. If services are independent, one
// that fails is left out, and the others are started.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "brood/error.hpp"
#include "parent/service.hpp"
#include "settings/service_source.hpp"

namespace brood {

class ServiceStarter {
 public:
  ServiceStarter(const Configuration& configuration, const Takeover& takeover, const ServiceRules& rules)
      : configuration_(configuration),
        takeover_(takeover),
        all_or_none_(rules.all_or_none || takeover.handed_over() != nullptr),
        patience_end_(takeover.handed_over() != nullptr ? Time::min() : Clock::now() + patience) {}

  // Throws if no service is left, or if one fails that the others need.
  std::vector<std::unique_ptr<Service>> start(std::vector<WantedService> wanted);

 private:
  static constexpr std::chrono::seconds patience{2};

  void open(WantedService& wanted);
  std::unique_ptr<Service> open_patiently(const WantedService& wanted, const HandedOverService& from) const;
  void call_hooks();
  template <typename Step>
  bool attempt(const std::string& name, const Step& step);
  void leave_out(const std::string& name);

  const Configuration& configuration_;
  const Takeover& takeover_;
  const bool all_or_none_;
  // Until then, addresses may still belong to processes of a server that was killed: they have to hear of it.
  const Time patience_end_;
  std::vector<std::unique_ptr<Service>> services_;
  // If no service is left: `configuration` if all of them need a correction, otherwise another try may help.
  ExitCode failure_ = ExitCode::configuration;
};

}  // namespace brood
