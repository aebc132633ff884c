// SPDX-License-Identifier: MIT
// Answers HTTP on listening sockets, with limits and deadlines for its clients, by Boost.Beast. Knows nothing
// of what it answers. In a process of its own, which does nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "brood/descriptor.hpp"

namespace brood {

struct HttpRequest {
  std::string path;    // of the target, without the query
  std::string accept;  // the field Accept
};

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields = {};  // more of the head
};

class HttpServer {
 public:
  // Listening stream sockets. `answer` is called for GET and HEAD, and does not throw.
  HttpServer(std::vector<Descriptor> listeners, std::function<HttpAnswer(const HttpRequest&)> answer);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Serves until the other end of the pipe `parent` is closed. Then it takes no more connections, answers
  // what was asked, and returns within a few seconds.
  void run(Descriptor parent);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A page of another site can let its name be that of this machine. What it asks a server on the loopback then
// names that site in the field Host.
bool names_this_machine(std::string_view host);

}  // namespace brood
