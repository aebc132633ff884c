// SPDX-License-Identifier: MIT
// Shows a proactor: the handler begins an operation, and goes on when the operation is complete. Built with
// -DBROOD_IO_URING=ON, the kernel carries out the operations; otherwise Boost.Asio does it over epoll, which
// is a proactor on top of a reactor.
//   In the books: Proactor, Asynchronous Completion Token (POSA2; the token is the coroutine); asynchronous
//   I/O (Stevens, UNP 6.2); "completion notification" (C10K).
//   Take it: for conversations in many steps that wait for several things. Not if handlers compute.
#include <brood/async_server.hpp>

#include "protocol.hpp"

class ProactorServer : public brood::AsyncServer {
  boost::asio::awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
    while (co_await connection.next_request()) {
      const auto line = co_await connection.read_line();
      if (!line) co_return;
      const std::string answer = patterns::answer(*line);
      co_await connection.write_all(answer);
    }
  }
};

int main(int argc, char** argv) { return ProactorServer().run(argc, argv); }
