// SPDX-License-Identifier: MIT
#include "order.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "ask.hpp"
#include "base/control_protocol.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/snapshot.hpp"
#include "locate.hpp"
#include "scoreboard/report/json.hpp"
#include "sentences.hpp"

namespace brood::ctl {
namespace {

enum class Takes { nothing, maybe_service, service, settings, pid, signal };

struct Form {
  std::string_view name;
  Takes takes;
};
constexpr std::array forms = {
    Form{"reload", Takes::maybe_service}, Form{"stop", Takes::maybe_service}, Form{"start", Takes::service},
    Form{"restart", Takes::service},      Form{"pause", Takes::service},      Form{"resume", Takes::service},
    Form{"scale", Takes::settings},       Form{"retire", Takes::pid},         Form{"signal", Takes::signal},
    Form{"reopen", Takes::nothing},       Form{"upgrade", Takes::nothing},    Form{"check", Takes::nothing},
};

[[noreturn]] void misused(const Invocation& invocation, const std::string& arguments) {
  throw Failure("usage: broodctl " + invocation.command + arguments, outcome::wrong_usage);
}

// A parent that is stopped would not answer, and broodctl would wait.
void refuse_if_stopped(const std::string& scoreboard) {
  try {
    const Snapshot snapshot = Snapshot::read(scoreboard);
    if (snapshot.parent_alive && snapshot.parent_state == 'T')
      throw Failure(text("parent ", snapshot.parent_pid, " is stopped; to continue it: kill -CONT ",
                         snapshot.parent_pid),
                    outcome::unavailable);
  } catch (const Error&) {
    // The request shows whether a server answers.
  }
}

std::string find_server(const Invocation& invocation) {
  try {
    return locate(invocation.server, directory_of(invocation.runtime_directory));
  } catch (const Failure& failure) {
    if (failure.exit_code() != outcome::critical) throw;
    throw Failure(failure.what(), outcome::unavailable);
  }
}

}  // namespace

std::vector<std::string> order_names() {
  std::vector<std::string> names;
  for (const Form& form : forms) names.emplace_back(form.name);
  return names;
}

std::optional<WireRecord> request_of(const Invocation& invocation) {
  const auto form = std::ranges::find(forms, invocation.command, &Form::name);
  if (form == forms.end()) return {};
  const auto& given = invocation.arguments;
  WireRecord request(invocation.command);
  if (invocation.now && (invocation.command != "stop" || !given.empty()))
    throw Failure("--now is an option of stop without a SERVICE", outcome::wrong_usage);
  if (invocation.now) request.set("now", 1);
  switch (form->takes) {
    case Takes::nothing:
      if (!given.empty()) misused(invocation, "");
      break;
    case Takes::maybe_service:
      if (given.size() > 1 || (!given.empty() && given[0].empty())) misused(invocation, " [SERVICE]");
      if (!given.empty()) request.set("service", given[0]);
      break;
    case Takes::service:
      if (given.size() != 1) misused(invocation, " SERVICE");
      request.set("service", given[0]);
      break;
    case Takes::pid:
      if (given.size() != 1) misused(invocation, " PID");
      request.set("pid", given[0]);
      break;
    case Takes::signal:
      if (given.size() != 2) misused(invocation, " SERVICE SIGNAL");
      request.set("service", given[0]).set("signal", given[1]);
      break;
    case Takes::settings:
      if (given.size() < 2) misused(invocation, " SERVICE SETTING=VALUE ...");
      request.set("service", given[0]);
      for (auto setting = given.begin() + 1; setting != given.end(); ++setting) {
        const auto equals = setting->find('=');
        if (equals == std::string::npos || setting->starts_with("service="))
          misused(invocation, " SERVICE SETTING=VALUE ...");
        request.set(setting->substr(0, equals), setting->substr(equals + 1));
      }
  }
  return request;
}

int order(const Invocation& invocation, const WireRecord& request) {
  const std::string scoreboard = find_server(invocation);
  refuse_if_stopped(scoreboard);
  const bool until_exit = invocation.command == "stop" && invocation.arguments.empty();
  const auto answer = ask(control_path(scoreboard), request, until_exit);
  const auto code = answer.back().number<int>("code");
  if (invocation.json)
    std::fputs(to_json(invocation.command, answer).c_str(), stdout);
  else
    std::fputs(sentences(invocation.command, answer).c_str(), code == outcome::done ? stdout : stderr);
  return code;
}

}  // namespace brood::ctl
