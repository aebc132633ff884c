// SPDX-License-Identifier: MIT
// The order to reload, and when it is done: for each service when no child of before is left, or when the
// service has gone.
#include <algorithm>
#include <memory>

#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "parent/order_answers.hpp"
#include "parent/orders.hpp"

namespace brood {
namespace {

// The reload of several services. Each is reported as it was when its own reload was done. A service whose
// children fail is not waited for.
class ReloadProgress {
 public:
  ReloadProgress(const ServerOrders& server, const ServerOrders::Reloaded& outcome,
                 std::vector<OrderProgress> services)
      : server_(server), services_(std::move(services)), changes_(outcome.changes), done_(services_.size()) {
    for (const auto mistake : split(outcome.mistakes, '\n'))
      if (!mistake.empty()) first_.push_back(WireRecord("mistake").set("text", mistake));
    for (const auto& line : outcome.need_restart) first_.push_back(WireRecord("waits").set("text", line));
    if (outcome.mistakes.empty()) return;
    code_ = static_cast<int>(ExitCode::configuration);
    message_ = "some services keep their former settings";
  }

  std::optional<Answer> answer() {
    for (std::size_t i = 0; i < services_.size(); ++i)
      if (!done_[i]) done_[i] = record_if_done(services_[i]);
    Answer answer = first_;
    int code = code_;
    std::string message = message_;
    for (std::size_t i = 0; i < services_.size(); ++i) {
      if (done_[i]) {
        answer.push_back(*done_[i]);
        continue;
      }
      const Service* const service = server_.services().find(services_[i].service());
      if (service == nullptr || !fails(*service)) return {};
      if (code == 0) {
        code = code_of_failure(*service);
        message = message_of_failure(*service);
      }
      answer.push_back(record(services_[i], *service));
    }
    answer.push_back(done(code, message));
    return answer;
  }

 private:
  std::optional<WireRecord> record_if_done(const OrderProgress& progress) const {
    const Service* const service = server_.services().find(progress.service());
    if (service == nullptr) {
      const bool still_stops = std::ranges::any_of(
          server_.services(), [&](const auto& each) { return each->name() == progress.service(); });
      if (still_stops) return {};
      return WireRecord("gone").set("service", progress.service());
    }
    const bool over = progress.all_gone(*service) && !service->drains_listeners() &&
                      (service->state() != ServiceState::running || service->has_started());
    if (!over || fails(*service)) return {};
    return record(progress, *service);
  }
  WireRecord record(const OrderProgress& progress, const Service& service) const {
    const auto found = std::ranges::find(changes_, progress.service(), &ServiceChange::service);
    return progress.record(service).set("changed", found == changes_.end() ? "" : found->what);
  }

  const ServerOrders& server_;
  const std::vector<OrderProgress> services_;
  const std::vector<ServiceChange> changes_;
  std::vector<std::optional<WireRecord>> done_;
  Answer first_;
  int code_ = 0;
  std::string message_;
};

// There is no such service and, if services come and go, no file of that name.
[[noreturn]] void refuse_name(const ServerOrders& server, const WireRecord& request) {
  const Service& service = named_service(server, request);
  throw Refusal(outcome::try_again, text("service ", service.name(), " is being removed"));
}

// Adds the services that are concerned and are not there yet.
void add_services(std::vector<OrderProgress>& to, const ServerOrders& server, const std::string* only,
                  Time now) {
  for (const auto& service : server.services())
    if (!service->removed() && (only == nullptr || service->name() == *only) &&
        std::ranges::find(to, service->name(), &OrderProgress::service) == to.end())
      to.emplace_back(*service, now);
}

}  // namespace

PendingAnswer obey_reload(ServerOrders& server, const WireRecord& request, Time now) {
  const std::string* const only = request.find("service");
  if (only != nullptr && only->empty())
    throw Refusal(outcome::wrong_usage, "reload: the service has no name");
  std::vector<OrderProgress> services;
  add_services(services, server, only, now);
  if (only != nullptr && services.empty() && !server.accepts_new_services()) named_service(server, request);
  const ServerOrders::Reloaded outcome = server.reload(only == nullptr ? "" : *only);
  if (!outcome.changed()) refuse_name(server, request);
  add_services(services, server, only, now);  // the new ones
  std::erase_if(services, [&](const OrderProgress& progress) {
    return std::ranges::find(outcome.refused, progress.service()) != outcome.refused.end();
  });
  const auto progress = std::make_shared<ReloadProgress>(server, outcome, std::move(services));
  return [progress](Time) { return progress->answer(); };
}

}  // namespace brood
