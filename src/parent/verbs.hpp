// SPDX-License-Identifier: MIT
// What may be asked of the parent: each verb gives its order at once, and leaves behind how its outcome is
// known. Parent only.
//
//   request                          answer, before `done`
//   reload [service=]                service …, one each; or mistake text=, one each
//   start, stop, restart service=    service …
//   stop [now=1]                     when the parent ends
//   pause, resume service=           service …
//   scale service= NAME=VALUE …      setting name= from= to=, one each; or mistake text=
//   retire pid=                      child pid= service= milliseconds=
//   signal service= signal=          signal service= name= children=
//   reopen, upgrade
//   check                            mistake text=, one each
//
//   service name= state= generation= children= before= gone= milliseconds= connections= lost=
//     children: now; before: at the time of the order, and gone: of those; connections: accepted since, and
//     lost: aborted or reset since
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "parent/control_socket.hpp"

namespace brood {

class Parent;
class Service;

// Looked at after each look of the parent, until it has an answer. It outlives no order: whatever it is about
// may be gone by then, and it says so.
using PendingAnswer = std::function<std::optional<Answer>(Time now)>;

struct Verb {
  std::string_view name;
  // Throws Refusal, or Error with all that is wrong, a line each.
  PendingAnswer (*order)(Parent& parent, const WireRecord& request, Time now);
  bool while_stopping = false;
  bool crosses_exec = false;  // the next program of the process answers
};

class Refusal : public std::runtime_error {
 public:
  Refusal(int code, const std::string& why) : std::runtime_error(why), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

extern const std::span<const Verb> service_verbs;  // those that start, stop and replace children
extern const std::span<const Verb> other_verbs;
const Verb& find_verb(std::string_view name);  // throws Refusal

Service& named_service(const Parent& parent, const WireRecord& request);  // throws Refusal
PendingAnswer at_once(Answer answer);
PendingAnswer outcome_of_upgrade(Parent& parent);

}  // namespace brood
