// SPDX-License-Identifier: MIT
#include "load/answer.hpp"

namespace brood::load {

Answer::Progress Answer::take(AnswerForm form, std::string_view input, bool keep) {
  if (whole_) text_.clear();
  form_ = form;
  if (keep) text_ += input;
  const Progress progress = form == AnswerForm::http                          ? http_.take(input)
                            : form == AnswerForm::any || input.back() == '\n' ? Progress::whole
                                                                              : Progress::partial;
  whole_ = progress == Progress::whole;
  return progress;
}

void Answer::clear() {
  whole_ = false;
  text_.clear();
  http_.clear();
}

std::string_view Answer::text() const {
  std::string_view text = text_;
  if (form_ == AnswerForm::line && text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

std::string_view Answer::body() const {
  constexpr std::string_view end_of_head = "\r\n\r\n";
  const auto head = form_ == AnswerForm::http ? text_.find(end_of_head) : std::string::npos;
  return head == std::string::npos ? text() : std::string_view(text_).substr(head + end_of_head.size());
}

}  // namespace brood::load
