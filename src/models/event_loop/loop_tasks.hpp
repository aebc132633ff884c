// SPDX-License-Identifier: MIT
// What the event loop of a child runs beside the handlers of its connections: functions that were posted,
// those of the child's timers, and those of descriptors. They run one after another, in any thread of the
// loop. Any thread may call this.
//
// It has an epoll set of its own, which the loop watches. That is made when it is first used, so that a child
// which does not use it has no descriptor and no system call for it, and the parent has none that its
// children would share.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/event_descriptor.hpp"
#include "models/epoll_set.hpp"
#include "models/event_loop/loop_timers.hpp"
#include "models/wake_timer.hpp"

namespace brood {

class LoopTasks {
 public:
  using Function = std::function<void()>;
  using ConnectionTask = std::function<Next(Connection&, Next)>;  // gets what it waits for, and may change it
  using Deliver = std::function<void(std::uint64_t connection, ConnectionTask)>;

  // These throw Error if there is no loop and this process is no child; SystemError.
  bool post(Function function);  // false: there are EventServer::most_posted already
  bool post(std::uint64_t connection, ConnectionTask task);
  TimerId call_at(Time first, Clock::duration interval, Function function);  // 0: once
  void cancel(TimerId timer);
  void watch(int descriptor, Function function);
  void unwatch(int descriptor);

  // ---- For the loop
  // `epoll` reports with `key` when run() is to be called, which gives `deliver` what is for a connection.
  void attach(const EpollSet& epoll, std::uint64_t key, Deliver deliver);
  // All is dropped, also what comes from now on.
  void detach();
  // Calls what is to be called now. Does nothing if another thread is at it.
  void run();

 private:
  struct Own {
    Own() : posted(new_event()) {}
    EpollSet epoll;
    Descriptor posted;
    WakeTimer timer;
  };
  struct Loop {
    const EpollSet& epoll;
    std::uint64_t key;
    Deliver deliver;
  };
  struct Watch {
    std::uint64_t key;
    std::shared_ptr<const Function> function;
  };

  bool open();
  bool push(Function function);
  void collect();
  void call_timer(TimerId timer);
  void call_watch(std::uint64_t key);

  std::mutex mutex_;  // for what follows
  std::optional<Own> own_;
  std::optional<Loop> loop_;
  bool detached_ = false;
  bool running_ = false;
  bool refuses_ = false;  // and has logged it
  std::deque<Function> queue_;
  LoopTimers timers_;
  std::map<int, Watch> watches_;  // by descriptor
  std::uint32_t last_watch_ = 0;
};

}  // namespace brood
