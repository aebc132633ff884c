// SPDX-License-Identifier: MIT
#include "load/answer.hpp"

#include <doctest/doctest.h>

using brood::load::Answer;
using brood::load::AnswerForm;
using Progress = Answer::Progress;

TEST_CASE("a line is whole with its newline, and is shown without it") {
  Answer answer;
  CHECK(answer.take(AnswerForm::line, "hel", true) == Progress::partial);
  CHECK(answer.take(AnswerForm::line, "lo\n", true) == Progress::whole);
  CHECK(answer.text() == "hello");
  CHECK(answer.body() == "hello");
  CHECK(answer.take(AnswerForm::line, "next\n", true) == Progress::whole);
  CHECK(answer.text() == "next");
}

TEST_CASE("of an HTTP answer all is shown, and its body is compared") {
  Answer answer;
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  CHECK(answer.take(AnswerForm::http, text.substr(0, 30), true) == Progress::partial);
  CHECK(answer.take(AnswerForm::http, text.substr(30), true) == Progress::whole);
  CHECK(answer.text() == text);
  CHECK(answer.body() == "hello");
  CHECK(answer.status() == 200);
}

TEST_CASE("any bytes are an answer where any form will do") {
  Answer answer;
  CHECK(answer.take(AnswerForm::any, "x", true) == Progress::whole);
  CHECK(answer.text() == "x");
}

TEST_CASE("what nobody wants to see is not kept, and a cleared answer begins again") {
  Answer answer;
  CHECK(answer.take(AnswerForm::line, "hello\n", false) == Progress::whole);
  CHECK(answer.text().empty());
  CHECK(answer.take(AnswerForm::line, "half", true) == Progress::partial);
  answer.clear();
  CHECK(answer.take(AnswerForm::line, "whole\n", true) == Progress::whole);
  CHECK(answer.text() == "whole");
}
