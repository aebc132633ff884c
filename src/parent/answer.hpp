// SPDX-License-Identifier: MIT
// What a request on the control socket is answered with. Parent only.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/wire_record.hpp"

namespace brood {

using Answer = std::vector<WireRecord>;  // the last record is `done`

inline WireRecord done(int code, std::string_view message) {
  return WireRecord("done").set("code", code).set("message", message);
}

// Called after each look of the parent until it returns an answer. The service or child that the order was
// for may have gone since: the answer says so.
using PendingAnswer = std::function<std::optional<Answer>(Time now)>;

inline PendingAnswer at_once(Answer answer) {
  return [answer = std::move(answer)](Time) -> std::optional<Answer> { return answer; };
}

// An order that is not obeyed; the code is one of those of an answer.
class Refusal : public std::runtime_error {
 public:
  Refusal(int code, const std::string& why) : std::runtime_error(why), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

}  // namespace brood
