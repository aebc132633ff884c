// SPDX-License-Identifier: MIT
#include "program/service_starter.hpp"

#include <utility>

#include "base/text.hpp"
#include "program/program_log.hpp"

namespace brood {

std::vector<std::unique_ptr<Service>> ServiceStarter::start(std::vector<WantedService> wanted) {
  for (auto& each : wanted) open(each);
  call_hooks();
  if (services_.empty()) throw Error("no service could be started", failure_);
  return std::move(services_);
}

void ServiceStarter::open(WantedService& wanted) {
  const HandedOverService nothing;
  const HandedOverService* from = takeover_.handed_over() != nullptr ? takeover_.find(wanted.name) : &nothing;
  if (from == nullptr) return leave_out(wanted.name);
  attempt(wanted.name, [&] {
    if (!wanted.configuration) throw ConfigurationError(wanted.mistakes);
    services_.push_back(std::make_unique<Service>(*wanted.configuration, wanted.server, *from));
  });
}

// When all listeners are bound.
void ServiceStarter::call_hooks() {
  std::erase_if(services_, [&](const auto& service) {
    return !attempt(service->name(), [&] { service->server().on_parent_start(); });
  });
}

template <typename Step>
bool ServiceStarter::attempt(const std::string& name, const Step& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (all_or_none()) throw;
    if (error.code() != ExitCode::configuration) failure_ = ExitCode::sick;
    report_errors(error.what(), configuration_);
  } catch (...) {
    if (all_or_none()) throw;
    failure_ = ExitCode::sick;
    report_errors(what_was_thrown(), configuration_);
  }
  leave_out(name);
  return false;
}

void ServiceStarter::leave_out(const std::string& name) {
  report_errors(text("service ", name, " is left out"), configuration_);
  source_.keep(name);
}

}  // namespace brood
