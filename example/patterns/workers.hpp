// SPDX-License-Identifier: MIT
// Threads that work for one that waits, and a queue to them.
#pragma once

#include <atomic>
#include <brood/connection.hpp>
#include <csignal>
#include <deque>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "protocol.hpp"

namespace patterns {

// Threads that get no signals: those are for the thread that waits. The destructor calls `stop` for each,
// which must make its `work` return, and waits for that.
class Workers {
 public:
  using PerThread = std::function<void(unsigned)>;
  Workers(unsigned number, const PerThread& work, PerThread stop) : stop_(std::move(stop)) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < number; ++i) threads_.emplace_back(work, i);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Workers() {
    for (unsigned i = 0; i < threads_.size(); ++i) stop_(i);
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

 private:
  const PerThread stop_;
  std::vector<std::jthread> threads_;
};

// Without a bound. Each element wakes one of the threads that wait in take().
template <typename Element>
class Queue {
 public:
  void put(Element element) {
    const std::lock_guard lock(mutex_);
    elements_.push_back(std::move(element));
    filled_.release();
  }
  Element take() {
    filled_.acquire();
    const std::lock_guard lock(mutex_);
    Element first = std::move(elements_.front());
    elements_.pop_front();
    return first;
  }

 private:
  std::counting_semaphore<> filled_{0};
  std::mutex mutex_;
  std::deque<Element> elements_;
};

// What a worker does with a connection that is ready: reads, works and writes. True: it gives it back.
inline bool converse(brood::Connection& connection) {
  connection.flush();
  while (const auto line = connection.try_line()) connection.write_all(answer(*line));
  return true;
}

}  // namespace patterns
