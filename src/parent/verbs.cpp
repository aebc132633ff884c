// SPDX-License-Identifier: MIT
#include "parent/verbs.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/child_signals.hpp"
#include "parent/order_progress.hpp"
#include "parent/parent.hpp"

namespace brood {
namespace {

const std::string& value(const WireRecord& request, std::string_view name) {
  const std::string* const given = request.find(name);
  if (given == nullptr || given->empty())
    throw Refusal(refused::usage, text(request.kind(), " needs a ", name));
  return *given;
}

// "HUP", "SIGHUP" or "1".
int parse_signal(std::string_view word) {
  if (const auto number = parse_number<int>(word); number && *number > 0 && *number <= SIGRTMAX)
    return *number;
  const std::string_view name = word.starts_with("SIG") ? word.substr(3) : word;
  for (int signal = 1; signal < NSIG; ++signal)
    if (const char* known = ::sigabbrev_np(signal); known != nullptr && name == known) return signal;
  throw Refusal(refused::usage, text("'", escape(word), "' is no signal"));
}

// ---- the verbs

PendingAnswer scale(Parent& parent, const WireRecord& request, Time /*now*/) {
  Service& service = named_service(parent, request);
  ScaledSettings changes;
  for (const auto& [name, written] : request.fields())
    if (name != "service") changes[name] = written;
  if (changes.empty()) throw Refusal(refused::usage, "scale needs a setting=value");
  Answer answer;
  for (const auto& [name, from, to] : parent.scale(service, changes))
    answer.push_back(WireRecord("setting").set("name", name).set("from", from).set("to", to));
  answer.push_back(done(0, ""));
  return at_once(std::move(answer));
}

PendingAnswer retire(Parent& parent, const WireRecord& request, Time now) {
  const std::string& written = value(request, "pid");
  const pid_t pid = parse_number<pid_t>(written).value_or(0);
  if (pid <= 0) throw Refusal(refused::usage, text("'", escape(written), "' is no pid"));
  for (const auto& service : parent.services()) {
    const auto slot = service->pool().find(pid);
    if (!slot) continue;
    const Time forked_at = service->pool().children()[*slot].forked_at;
    service->pool().retire_one(*slot, Reason::retire);
    return [&parent, pid, forked_at, began = now, name = service->name()](Time at) -> std::optional<Answer> {
      const Service* const its = parent.services().find(name);
      const auto there = its == nullptr ? std::nullopt : its->pool().find(pid);
      if (there && its->pool().children()[*there].forked_at == forked_at) return {};
      const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(at - began).count();
      return Answer{WireRecord("child").set("pid", pid).set("service", name).set("milliseconds", took),
                    done(0, "")};
    };
  }
  throw Refusal(refused::usage, text("process ", pid, " is no child of this server"));
}

PendingAnswer signal(Parent& parent, const WireRecord& request, Time /*now*/) {
  const Service& service = named_service(parent, request);
  const int number = parse_signal(value(request, "signal"));
  const char* const known = ::sigabbrev_np(number);
  const std::string name = known == nullptr ? text(number) : text("SIG", std::string_view(known));
  if (number == child_signals::retire || number == child_signals::look_again)
    throw Refusal(
        refused::usage,
        text(name, " is the parent's own word to its children: take retire, pause, stop or reload"));
  const unsigned children = service.pool().signal_all(number);
  return at_once(
      {WireRecord("signal").set("service", service.name()).set("name", name).set("children", children),
       done(0, "")});
}

PendingAnswer reopen(Parent& parent, const WireRecord& /*request*/, Time /*now*/) {
  parent.reopen_logs();
  return at_once({done(0, "")});
}

PendingAnswer check(Parent& parent, const WireRecord& /*request*/, Time /*now*/) {
  parent.check();
  return at_once({done(0, "")});
}

PendingAnswer upgrade(Parent& parent, const WireRecord& /*request*/, Time /*now*/) {
  parent.upgrade();
  return outcome_of_upgrade(parent);
}

constexpr std::array verb_table = {
    Verb{"scale", scale},
    Verb{"retire", retire},
    Verb{"signal", signal},
    Verb{"reopen", reopen},
    Verb{"upgrade", upgrade, false, true},
    Verb{"check", check},
};

}  // namespace

const std::span<const Verb> other_verbs = verb_table;

PendingAnswer outcome_of_upgrade(Parent& parent) {
  return [&parent](Time) -> std::optional<Answer> {
    using State = Parent::UpgradeOutcome::State;
    const auto [state, message] = parent.last_upgrade();
    if (state == State::done) return Answer{WireRecord("upgrade").set("message", message), done(0, "")};
    if (state != State::refused) return {};
    return Answer{done(refused::failing, "upgrade refused: " + message + "; everything goes on as before")};
  };
}

const Verb& find_verb(std::string_view name) {
  std::vector<std::string> known;
  for (const auto& table : {service_verbs, other_verbs})
    for (const Verb& verb : table) {
      if (verb.name == name) return verb;
      known.emplace_back(verb.name);
    }
  throw Refusal(refused::usage, text("unknown verb '", escape(name), "'", did_you_mean(name, known)));
}

Service& named_service(const Parent& parent, const WireRecord& request) {
  const std::string& name = value(request, "service");
  if (Service* const service = parent.services().find(name)) return *service;
  std::vector<std::string> known;
  for (const auto& service : parent.services()) known.push_back(service->name());
  throw Refusal(refused::usage, text("unknown service '", escape(name), "'", did_you_mean(name, known)));
}

PendingAnswer at_once(Answer answer) {
  return [answer = std::move(answer)](Time) -> std::optional<Answer> { return answer; };
}

}  // namespace brood
