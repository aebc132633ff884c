// SPDX-License-Identifier: MIT
// The verbs that start, stop and replace children.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "parent/order_progress.hpp"
#include "parent/parent.hpp"
#include "parent/verbs.hpp"

namespace brood {
namespace {

Answer told(const OrderProgress& progress, const Service& service, int code = 0,
            const std::string& message = "") {
  return {progress.tell(service), done(code, message)};
}

Time limit_of_stop(const Service& service, Time now) {
  const auto patience = service.limits().graceful_timeout;
  return patience.count() == 0 ? never : now + patience;
}

[[noreturn]] void refuse_state(const Service& service, std::string_view advice) {
  throw Refusal(refused::not_now,
                text("service ", service.name(), " is ", name_of(service.state()), ": ", advice));
}

ServiceState running_or_paused(const Service& service, std::string_view advice) {
  const ServiceState state = service.state();
  if (state != ServiceState::running && state != ServiceState::paused) refuse_state(service, advice);
  return state;
}

// Until `over` holds, or it is clear that it never will.
using Condition = std::function<std::optional<Answer>(const OrderProgress&, Service&)>;
PendingAnswer when(Parent& parent, const Service& service, Time now, Condition over) {
  return [&parent, progress = OrderProgress(service, now),
          over = std::move(over)](Time) -> std::optional<Answer> {
    Service* const its = parent.services().find(progress.service());
    if (its == nullptr)
      return Answer{done(refused::not_here, progress.service() + " is no service any more")};
    return over(progress, *its);
  };
}

std::string how_it_fails(const Service& service) {
  return text("service ", service.name(), ": children of generation ", service.generation(),
              " fail at once; the log says why",
              service.fatal_exit() ? "" : ", and the next one is tried ever later");
}

int code_of_failure(const Service& service) { return service.fatal_exit().value_or(refused::failing); }

bool fails(const Service& service) { return service.throttled() || service.fatal_exit(); }

std::optional<Answer> once_ready(const OrderProgress& progress, Service& service) {
  if (service.state() == ServiceState::running && service.ready()) return told(progress, service);
  if (service.state() == ServiceState::stopped && !service.starts_after_stop())
    return told(progress, service, refused::failing,
                service.start_failure().empty() ? "it was stopped meanwhile" : service.start_failure());
  if (service.state() == ServiceState::paused)
    return told(progress, service, refused::failing, "it was paused meanwhile");
  if (!service.starts_after_stop() && service.stage() == Service::Stage::serving && fails(service))
    return told(progress, service, code_of_failure(service), how_it_fails(service));
  return {};
}

// ---- the verbs

// Neither a service nor, where they come and go, a file of that name.
[[noreturn]] void refuse_name(const Parent& parent, const WireRecord& request) {
  const Service& service = named_service(parent, request);
  throw Refusal(refused::not_now, text("service ", service.name(), " is on its way out"));
}

// What came of one service's reload, when it is over: its children of before are gone, or it is itself.
std::optional<WireRecord> end_of_reload(const Parent& parent, const OrderProgress& progress) {
  const Service* const service = parent.services().find(progress.service());
  if (service == nullptr) {  // no longer wanted: when what it has in hand is finished
    const bool still_goes = std::ranges::any_of(
        parent.services(), [&](const auto& its) { return its->name() == progress.service(); });
    if (still_goes) return {};
    return WireRecord("gone").set("service", progress.service());
  }
  const bool over = progress.all_gone(*service) && !service->drains_listeners() &&
                    (service->state() != ServiceState::running || service->ready());
  if (!over || fails(*service)) return {};
  return progress.tell(*service);
}

// Each tells of itself as it was when its own reload was over; one that fails is not waited for.
PendingAnswer when_all_are_over(Parent& parent, const Parent::Reloaded& outcome,
                                std::vector<OrderProgress> progresses) {
  Answer first;
  for (const auto mistake : split(outcome.mistakes, '\n'))
    if (!mistake.empty()) first.push_back(WireRecord("mistake").set("text", mistake));
  for (const auto& line : outcome.waits) first.push_back(WireRecord("waits").set("text", line));
  return [&parent, first = std::move(first), refused = !outcome.mistakes.empty(),
          ends = std::vector<std::optional<WireRecord>>(progresses.size()),
          progresses = std::move(progresses)](Time) mutable -> std::optional<Answer> {
    for (std::size_t i = 0; i < progresses.size(); ++i)
      if (!ends[i]) ends[i] = end_of_reload(parent, progresses[i]);
    Answer answer = first;
    int code = refused ? static_cast<int>(ExitCode::configuration) : 0;
    std::string failure = refused ? "some services stay as they were" : "";
    for (std::size_t i = 0; i < progresses.size(); ++i) {
      if (ends[i]) {
        answer.push_back(*ends[i]);
        continue;
      }
      const Service* const service = parent.services().find(progresses[i].service());
      if (service == nullptr || !fails(*service)) return {};
      if (code == 0) {
        code = code_of_failure(*service);
        failure = how_it_fails(*service);
      }
      answer.push_back(progresses[i].tell(*service));
    }
    answer.push_back(done(code, failure));
    return answer;
  };
}

PendingAnswer reload(Parent& parent, const WireRecord& request, Time now) {
  const std::string* const only = request.find("service");
  if (only != nullptr && only->empty()) throw Refusal(refused::usage, "reload: the service has no name");
  const auto is_meant = [&](const auto& service) {
    return !service->dismissed() && (only == nullptr || service->name() == *only);
  };
  std::vector<OrderProgress> progresses;
  for (const auto& service : parent.services())
    if (is_meant(service)) progresses.emplace_back(*service, now);
  const bool may_be_new = parent.duties().reserved_entries > 0;
  if (only != nullptr && progresses.empty() && !may_be_new) named_service(parent, request);
  const Parent::Reloaded outcome = parent.reload(only == nullptr ? "" : *only);
  if (!outcome.changed()) refuse_name(parent, request);
  // What is new has no children of before.
  for (const auto& service : parent.services())
    if (is_meant(service) &&
        std::ranges::find(progresses, service->name(), &OrderProgress::service) == progresses.end())
      progresses.emplace_back(*service, now);
  std::erase_if(progresses, [&](const OrderProgress& progress) {
    return std::ranges::find(outcome.refused, progress.service()) != outcome.refused.end();
  });
  return when_all_are_over(parent, outcome, std::move(progresses));
}

PendingAnswer start(Parent& parent, const WireRecord& request, Time now) {
  Service& service = named_service(parent, request);
  PendingAnswer answer = when(parent, service, now, once_ready);
  switch (service.state()) {
    case ServiceState::stopped:
    case ServiceState::failed:
      service.start_again(now);
      break;
    case ServiceState::paused:
      refuse_state(service, "resume it");
    case ServiceState::stopping:
      if (!service.starts_after_stop()) refuse_state(service, "wait for that, or restart it");
      break;
    case ServiceState::running:
      break;
  }
  return answer;
}

std::optional<Answer> once_ended(const OrderProgress& progress, Service& service) {
  if (service.ended()) return told(progress, service);
  if (service.stage() != Service::Stage::serving) return {};
  return told(progress, service, refused::failing, "it was started again meanwhile");
}

// Asked twice, it stops as once: who asks again may not know of the other. `now` is for the impatient.
PendingAnswer stop_all(Parent& parent, const WireRecord& request) {
  if (request.find("now") != nullptr)
    parent.stop_now();
  else if (!parent.stopping())
    parent.stop();
  return [&parent](Time) -> std::optional<Answer> {
    if (!parent.ended()) return {};
    return Answer{done(0, "")};
  };
}

PendingAnswer stop(Parent& parent, const WireRecord& request, Time now) {
  if (request.find("service") == nullptr) return stop_all(parent, request);
  Service& service = named_service(parent, request);
  PendingAnswer answer = when(parent, service, now, once_ended);
  service.stop(limit_of_stop(service, now));
  return answer;
}

PendingAnswer restart(Parent& parent, const WireRecord& request, Time now) {
  Service& service = named_service(parent, request);
  PendingAnswer answer = when(parent, service, now, once_ready);
  service.restart(limit_of_stop(service, now));
  return answer;
}

PendingAnswer pause(Parent& parent, const WireRecord& request, Time now) {
  Service& service = named_service(parent, request);
  const ServiceState state = running_or_paused(service, "only one that runs can be paused");
  PendingAnswer answer =
      when(parent, service, now, [](const OrderProgress& progress, Service& its) -> std::optional<Answer> {
        if (its.state() != ServiceState::paused)
          return told(progress, its, refused::failing, "it was ordered otherwise meanwhile");
        if (!progress.all_gone(its)) return {};
        return told(progress, its);
      });
  if (state == ServiceState::running) service.pause();
  return answer;
}

PendingAnswer resume(Parent& parent, const WireRecord& request, Time now) {
  Service& service = named_service(parent, request);
  const ServiceState state = running_or_paused(service, "only one that is paused can be resumed");
  PendingAnswer answer = when(parent, service, now, once_ready);
  if (state == ServiceState::paused) service.resume();
  return answer;
}

constexpr std::array service_verb_table = {
    Verb{"reload", reload},   Verb{"start", start}, Verb{"stop", stop, true},
    Verb{"restart", restart}, Verb{"pause", pause}, Verb{"resume", resume},
};

}  // namespace

const std::span<const Verb> service_verbs = service_verb_table;

}  // namespace brood
