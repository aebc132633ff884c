// SPDX-License-Identifier: MIT
// Shows an echo server in coroutines over Boost.Asio, many connections in each child. Input that begins with
// "later " is answered after a second, in which the child serves its other connections.
#include <brood/async_server.hpp>
// After it:
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

class AsyncEcho : public brood::AsyncServer {
  boost::asio::awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    char buffer[4096];
    while (const auto size = co_await connection.next_request(buffer)) {
      const std::string_view said(buffer, size);
      if (said.starts_with("later ")) {
        timer.expires_after(std::chrono::seconds(1));
        co_await timer.async_wait(boost::asio::use_awaitable);
      }
      co_await connection.write_all(said);
    }
  }
};

int main(int argc, char** argv) { return AsyncEcho().run(argc, argv); }
