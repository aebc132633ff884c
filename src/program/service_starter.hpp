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
  ServiceStarter(ServiceSource& source, const Configuration& configuration, const Takeover& takeover)
      : source_(source), configuration_(configuration), takeover_(takeover) {}

  // Throws if no service is left, or if one fails that the others need.
  std::vector<std::unique_ptr<Service>> start(std::vector<WantedService> wanted);

 private:
  void open(WantedService& wanted);
  void call_hooks();
  template <typename Step>
  bool attempt(const std::string& name, const Step& step);
  bool all_or_none() const { return source_.rules().all_or_none || takeover_.handed_over() != nullptr; }
  void leave_out(const std::string& name);

  ServiceSource& source_;
  const Configuration& configuration_;
  const Takeover& takeover_;
  std::vector<std::unique_ptr<Service>> services_;
  // If no service is left: `configuration` if all of them need a correction, otherwise another try may help.
  ExitCode failure_ = ExitCode::configuration;
};

}  // namespace brood
