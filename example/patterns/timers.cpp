// SPDX-License-Identifier: MIT
// Shows a timer wheel and a timer heap (timer_queues.hpp): a connection without a request for the time `idle`
// is ended. `restart N` restarts the timer of the connection N times, and answers how long one took.
//   In the books: timing wheel (Varghese and Lauck), time heap (Linux server books); timer queue (POSA2).
//   Take the wheel: for many timers that mostly never expire. A step costs the same however many there are,
//   but a timer is late by up to a tick. The heap: for times that must be exact or differ widely; a step
//   costs log n. Neither for a timer of a connection: set_timer() is there already.
#include <brood/event_server.hpp>
#include <brood/settings.hpp>

#include "protocol.hpp"
#include "timer_queues.hpp"

class TimerServer : public brood::EventServer {
  enum class Kind { wheel, heap };

  void add_settings(brood::Settings& settings) override {
    settings.choice("timers", kind_, {{"wheel", Kind::wheel}, {"heap", Kind::heap}}, "How times are kept.");
    settings.duration("idle", idle_, std::chrono::milliseconds(63), std::chrono::hours(1),
                      "How long a connection may be without a request.");
  }
  void on_child_start() override {
    timers_ = patterns::make_timers(kind_ == Kind::wheel, idle_);
    call_every(idle_ / patterns::TimerQueue::ticks_in_time, [this] {
      timers_->tick();
      while (auto* const timer = timers_->due()) {
        timers_->stop(*timer);
        timer->connection.post([](brood::Connection&) { return Next::close; });
      }
    });
  }
  Next handle_accepted(brood::Connection& connection) override {
    auto& timer = connection.state<patterns::Timer>();
    timer.queue = timers_.get();
    timer.connection = handle_of(connection);
    timers_->restart(timer);
    return Next::more_input;
  }
  Next handle_readable(brood::Connection& connection) override {
    auto& timer = connection.state<patterns::Timer>();
    timers_->restart(timer);
    while (const auto line = connection.try_line()) {
      const auto times = patterns::number_behind(*line, "restart ", 10'000'000);
      connection.write_all(times ? measure(timer, *times) : patterns::answer(*line));
    }
    return Next::request;
  }
  std::string measure(patterns::Timer& timer, std::uint64_t times) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < times; ++i) timers_->restart(timer);
    const std::chrono::duration<double, std::nano> all = std::chrono::steady_clock::now() - begin;
    return std::to_string(times == 0 ? 0 : all.count() / static_cast<double>(times)) + " ns\n";
  }
  Kind kind_ = Kind::wheel;
  std::chrono::milliseconds idle_ = std::chrono::minutes(1);
  std::unique_ptr<patterns::TimerQueue> timers_;  // of a child
};

int main(int argc, char** argv) { return TimerServer().run(argc, argv); }
