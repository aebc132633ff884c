// SPDX-License-Identifier: MIT
// Shows half-sync/half-async: an asynchronous layer reads requests and writes answers and never waits for one
// connection; a synchronous layer of threads works in plain code that may block; a queue of messages between.
//   In the books: Half-Sync/Half-Async (POSA2); thread pool behind an event loop (C10K). The kernel and a
//   blocking server are the same pattern: interrupts, the queue of the socket, a process.
//   Take it: if requests block, in code that cannot wait otherwise, and connections are many. Not for quick
//   requests: each message passes two queues. The queue needs no bound of its own: a connection has at most
//   one message in it, and max-connections-per-child bounds the connections.
#include <brood/server_base.hpp>
#include <brood/settings.hpp>

#include "one_shot_loop.hpp"
#include "workers.hpp"

struct Message {
  brood::Connection* from = nullptr;  // nullptr: the thread ends
  std::string text;
};

class HalfSyncHalfAsync : public brood::ServerBase {
  brood::ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }
  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override { settings.set_default("threads-per-child", {"4"}); }

  // The asynchronous layer. A connection is not read while it has a message on its way.
  void advance(patterns::OneShotLoop& loop, brood::Connection& connection, const std::string& answer = "") {
    loop.with(connection, [&] {
      if (!answer.empty()) connection.write_all(answer);
      const auto line = connection.flush() ? connection.try_line() : std::nullopt;
      if (line) requests_.put({&connection, *line});
      return !line;
    });
  }
  // The synchronous layer: each thread.
  void work(patterns::OneShotLoop& loop) {
    for (Message request = requests_.take(); request.from != nullptr; request = requests_.take())
      loop.post([this, &loop, from = request.from, text = patterns::answer(request.text)] {
        advance(loop, *from, text);
      });
  }
  void serve(brood::Child& child) override {
    patterns::OneShotLoop loop(child);
    const patterns::Workers workers(
        child.limits().threads, [&](unsigned) { work(loop); }, [&](unsigned) { requests_.put({}); });
    loop.run([&](brood::Connection& connection) { advance(loop, connection); });
  }
  patterns::Queue<Message> requests_;
};

int main(int argc, char** argv) { return HalfSyncHalfAsync().run(argc, argv); }
