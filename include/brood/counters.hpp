// SPDX-License-Identifier: MIT
// Figures of a server's own that live on the scoreboard, beside those of the kit:
//
//   class Echo : public brood::Server {
//     void add_counters(brood::Counters& counters) override {
//       counters.counter("lines", lines_, "Lines that were answered.");
//     }
//     void handle_connection(brood::Connection& connection) override { … lines_.add(); … }
//     brood::Counter lines_;
//   };
#pragma once

#include "brood/cxx20.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace brood {

// A number in the row of this child. Outside a child it is one of this process alone.
class CounterCell {
 public:
  CounterCell() = default;
  CounterCell(const CounterCell&) = delete;
  CounterCell& operator=(const CounterCell&) = delete;

  // For the kit: where the number is from now on; nullptr: in this object.
  void bind(std::atomic<std::uint64_t>* shared) { cell_ = shared != nullptr ? shared : &own_; }

 protected:
  ~CounterCell() = default;
  std::atomic<std::uint64_t>& cell() const { return *cell_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> own_{0};
  std::atomic<std::atomic<std::uint64_t>*> cell_{&own_};
};

// Only grows. Readers see the sum over all children, past and present. Any thread; no system call.
class Counter : public CounterCell {
 public:
  void add(std::uint64_t amount = 1) { cell().fetch_add(amount, std::memory_order_relaxed); }
  std::uint64_t value() const { return cell().load(std::memory_order_relaxed); }  // of this child
};

// How much of something there is now, such as sessions. Readers see the sum over the children that live: what
// a child has goes with it. Any thread; no system call.
class Gauge : public CounterCell {
 public:
  void set(std::int64_t value) { cell().store(static_cast<std::uint64_t>(value), std::memory_order_relaxed); }
  void add(std::int64_t amount = 1) {
    cell().fetch_add(static_cast<std::uint64_t>(amount), std::memory_order_relaxed);
  }
  void subtract(std::int64_t amount = 1) { add(-amount); }
  std::int64_t value() const {  // of this child
    return static_cast<std::int64_t>(cell().load(std::memory_order_relaxed));
  }
};

// The counters and gauges of a server, at most 16. A name has 1 to 31 letters, digits, '-' and '_', and
// begins with a letter; a help has at most 95 bytes. Otherwise these throw Error.
class Counters {
 public:
  struct Entry {
    std::string name, help;
    bool gauge;
    CounterCell* cell;
  };

  void counter(const std::string& name, Counter& counter, const std::string& help) {
    add({name, help, false, &counter});
  }
  void gauge(const std::string& name, Gauge& gauge, const std::string& help) {
    add({name, help, true, &gauge});
  }
  const std::vector<Entry>& all() const { return entries_; }

 private:
  void add(Entry entry);

  std::vector<Entry> entries_;
};

}  // namespace brood
