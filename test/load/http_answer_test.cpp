// SPDX-License-Identifier: MIT
#include "load/http_answer.hpp"

#include <doctest/doctest.h>

#include <string>

using brood::load::HttpAnswer;
using Progress = HttpAnswer::Progress;

TEST_CASE("an answer is whole when so much has come as its Content-Length says") {
  HttpAnswer answer;
  CHECK(answer.take("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH:  5 \r\n\r\n") == Progress::partial);
  CHECK(answer.take("hell") == Progress::partial);
  CHECK(answer.take("o") == Progress::whole);
  CHECK(answer.status() == 200);
  CHECK_FALSE(answer.announces_close());
}

TEST_CASE("it may come in any pieces, and the next one begins after it") {
  const std::string text = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: Close\r\n\r\nno\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    CAPTURE(size);
    HttpAnswer answer;
    for (int time = 0; time < 2; ++time) {
      for (std::size_t at = 0; at < text.size(); at += size) {
        const bool last = at + size >= text.size();
        CHECK(answer.take(std::string_view(text).substr(at, size)) ==
              (last ? Progress::whole : Progress::partial));
      }
      CHECK(answer.status() == 404);
      CHECK(answer.announces_close());
    }
  }
}

TEST_CASE("an answer without a body is whole with its head") {
  HttpAnswer answer;
  CHECK(answer.take("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == Progress::whole);
}

TEST_CASE("a close is announced by the answer that says so, and by no other") {
  HttpAnswer answer;
  REQUIRE(answer.take("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") ==
          Progress::whole);
  CHECK(answer.announces_close());
  REQUIRE(answer.take("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") == Progress::whole);
  CHECK_FALSE(answer.announces_close());
}

TEST_CASE("what is no answer is said to be none") {
  for (const std::string text : {
           "hello\r\n\r\n",
           "HTTP/1.1\r\n\r\n",
           "HTTP/1.1 abc Never\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 999 Never\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy",
       }) {
    CAPTURE(text);
    HttpAnswer answer;
    CHECK(answer.take(text) == Progress::malformed);
  }
}

TEST_CASE("a head without end is given up") {
  HttpAnswer answer;
  const std::string line = "X-Filler: " + std::string(1000, 'x') + "\r\n";
  Progress progress = answer.take("HTTP/1.1 200 OK\r\n");
  int lines = 0;
  while (progress == Progress::partial && ++lines < 100) progress = answer.take(line);
  CHECK(progress == Progress::malformed);
  CHECK(lines < 20);
}
