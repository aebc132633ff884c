// SPDX-License-Identifier: MIT
// Shows an emulated proactor: the event loop reads and writes, worker threads compute. To a worker, reading
// is complete when it begins; to the loop, the computing is one more operation that completes.
//   In the books: Proactor emulated by a Reactor (POSA2, implementation); simulated proactor (Linux server
//   books); offloading to a thread pool (C10K).
//   Take it: if requests compute for long, or call code that blocks, between thousands of connections that
//   wait. Not for quick requests: each costs two changes of thread.
#include <brood/async_server.hpp>
// After it:
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <brood/settings.hpp>
#include <memory>

#include "protocol.hpp"

class EmulatedProactor : public brood::AsyncServer {
  template <typename Result>
  using Awaitable = boost::asio::awaitable<Result>;

  void add_settings(brood::Settings& settings) override {
    settings.number("workers", workers_, 1, 1024, "How many threads compute, in each child.");
  }
  // Nothing of Boost.Asio may be made in the parent, and threads do not survive fork().
  void on_child_start() override { pool_ = std::make_unique<boost::asio::thread_pool>(workers_); }
  void on_child_exit() override { pool_.reset(); }

  static Awaitable<std::string> compute(const std::string& line) { co_return patterns::answer(line); }

  Awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
    while (co_await connection.next_request()) {
      const auto line = co_await connection.read_line();
      if (!line) co_return;
      // Begins in the pool, completes in the loop.
      const std::string answer =
          co_await boost::asio::co_spawn(*pool_, compute(*line), boost::asio::use_awaitable);
      co_await connection.write_all(answer);
    }
  }

  unsigned workers_ = 4;
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

int main(int argc, char** argv) { return EmulatedProactor().run(argc, argv); }
