// SPDX-License-Identifier: MIT
#include "program/service_starter.hpp"

#include <cerrno>
#include <thread>
#include <utility>

#include "base/text.hpp"
#include "child/child_main.hpp"
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
    services_.push_back(open_patiently(wanted, *from));
  });
}

std::unique_ptr<Service> ServiceStarter::open_patiently(const WantedService& wanted,
                                                        const HandedOverService& from) const {
  constexpr std::chrono::milliseconds pause{20};
  for (;;) try {
      return std::make_unique<Service>(wanted, from);
    } catch (const SystemError& error) {
      if (error.error_number() != EADDRINUSE || Clock::now() >= patience_end_) throw;
      std::this_thread::sleep_for(pause);
    }
}

// When all listeners are bound.
void ServiceStarter::call_hooks() {
  const bool several = services_.size() > 1;
  std::erase_if(services_, [&](const auto& service) {
    const std::string hook = text(several ? "service " + service->name() + ": " : "", "on_parent_start");
    return !attempt(service->name(), [&] {
      call_hook(
          hook, [&] { service->server().on_parent_start(); }, ExitCode::software);
    });
  });
}

template <typename Step>
bool ServiceStarter::attempt(const std::string& name, const Step& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (all_or_none_) throw;
    if (error.code() != ExitCode::configuration) failure_ = ExitCode::sick;
    report_errors(error.what(), configuration_);
  } catch (...) {
    if (all_or_none_) throw;
    failure_ = ExitCode::sick;
    report_errors(what_was_thrown(), configuration_);
  }
  leave_out(name);
  return false;
}

void ServiceStarter::leave_out(const std::string& name) {
  report_errors(text("service ", name, " is left out"), configuration_);
}

}  // namespace brood
