// SPDX-License-Identifier: MIT
// Shows half-sync/half-reactive: one thread waits for all connections and puts those that are ready into a
// bounded queue (a mutex and two semaphores); workers take them, and read, work and write by themselves.
//   In the books: Half-Sync/Half-Reactive (POSA2); thread pool with a request queue (Linux server books).
//   Take it: if requests wait or compute, and connections are many. Leader/followers has no queue.
//   If the queue is full, the thread that waits stops until a worker is free: nothing is accepted or read,
//   requests wait in the kernel, and none is refused or lost.
#include <brood/server_base.hpp>
#include <brood/settings.hpp>
#include <deque>
#include <semaphore>

#include "one_shot_loop.hpp"
#include "workers.hpp"

class RequestQueue {
 public:
  explicit RequestQueue(unsigned room) : free_(room) {}
  void put(brood::Connection* connection) {
    free_.acquire();
    const std::lock_guard lock(mutex_);
    ready_.push_back(connection);
    filled_.release();
  }
  brood::Connection* take() {
    filled_.acquire();
    const std::lock_guard lock(mutex_);
    brood::Connection* const first = ready_.front();
    ready_.pop_front();
    free_.release();
    return first;
  }

 private:
  std::counting_semaphore<> free_, filled_{0};
  std::mutex mutex_;
  std::deque<brood::Connection*> ready_;
};

class HalfSyncHalfReactive : public brood::ServerBase {
  brood::ChildModel child_model() const override { return {.many_connections = true, .threads = true}; }
  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override {
    settings.set_default("threads-per-child", {"4"});
    settings.number("queue", room_, 1, 1'000'000, "How many connections may wait for a thread.");
  }
  void serve(brood::Child& child) override {
    patterns::OneShotLoop loop(child);
    RequestQueue queue(room_);
    const auto work = [&](unsigned) {
      while (auto* const connection = queue.take())
        loop.with(*connection, [&] { return patterns::converse(*connection); });
    };
    const patterns::Workers workers(child.limits().threads, work, [&](unsigned) { queue.put(nullptr); });
    loop.run([&](brood::Connection& connection) { queue.put(&connection); });
  }
  unsigned room_ = 64;
};

int main(int argc, char** argv) { return HalfSyncHalfReactive().run(argc, argv); }
