// SPDX-License-Identifier: MIT
// One answer after the other, as it comes in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/http_answer.hpp"

namespace brood::load {

enum class AnswerForm : std::uint8_t {
  line,  // whole when it ends with a newline
  http,  // whole when HTTP says so
  any,   // whatever comes first is one
};

class Answer {
 public:
  using Progress = HttpAnswer::Progress;

  // What has come next. `keep`: text() and body() are wanted.
  Progress take(AnswerForm form, std::string_view input, bool keep);
  void clear();

  // Of an answer that is whole, until the next one begins:
  std::string_view text() const;  // all of it; a line without its newline
  std::string_view body() const;  // the same, of HTTP without its head
  unsigned status() const { return http_.status(); }
  bool announces_close() const { return http_.announces_close(); }

 private:
  AnswerForm form_ = AnswerForm::line;
  bool whole_ = false;
  std::string text_;
  HttpAnswer http_;
};

}  // namespace brood::load
