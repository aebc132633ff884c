// SPDX-License-Identifier: MIT
// The child model on an event loop: many connections in a child, none of which blocks it.
#include "brood/event_server.hpp"

#include <algorithm>

#include "brood/error.hpp"
#include "models/event_loop/loop_tasks.hpp"
#include "models/event_loop/reactor.hpp"
#include "models/threads.hpp"

namespace brood {

namespace {

// More would overflow.
Clock::duration duration_of_timer(std::chrono::milliseconds time) {
  using namespace std::chrono_literals;
  return std::clamp<std::chrono::milliseconds>(time, 0ms, 24h * 366);
}

}  // namespace

EventServer::EventServer() : tasks_(std::make_shared<LoopTasks>()) {}

void EventServer::serve(Child& child) {
  const auto handler = [this](Connection& connection, Reactor::Call call) {
    if (call == Reactor::Call::accepted) return handle_accepted(connection);
    if (call == Reactor::Call::timer) return handle_timer(connection);
    return handle_readable(connection);
  };
  Reactor reactor(child, handler, *tasks_);
  reactor_ = &reactor;
  try {
    run_threads(child.limits().threads, [&] { reactor.run(); });
  } catch (...) {
    reactor_ = nullptr;
    throw;
  }
  reactor_ = nullptr;
}

Reactor& EventServer::reactor() const {
  if (reactor_ == nullptr) throw Error("a connection of an event loop was used while there is no loop");
  return *reactor_;
}

void EventServer::set_timer(const Connection& connection, std::chrono::milliseconds time) {
  reactor().set_timer(connection, Clock::now() + duration_of_timer(time));
}

void EventServer::cancel_timer(const Connection& connection) { reactor().set_timer(connection, never); }

ConnectionHandle EventServer::handle_of(const Connection& connection) const {
  return {tasks_, reactor().key_of(connection)};
}

bool ConnectionHandle::post_task(std::function<Next(Connection&, Next)> task) const {
  return !loop_ || loop_->post(key_, std::move(task));
}

bool EventServer::post(std::function<void()> function) { return tasks_->post(std::move(function)); }

TimerId EventServer::call_after(std::chrono::milliseconds time, std::function<void()> function) {
  return tasks_->call_at(Clock::now() + duration_of_timer(time), Clock::duration::zero(),
                         std::move(function));
}

TimerId EventServer::call_every(std::chrono::milliseconds interval, std::function<void()> function) {
  const auto time = duration_of_timer(std::max(interval, std::chrono::milliseconds(1)));
  return tasks_->call_at(Clock::now() + time, time, std::move(function));
}

void EventServer::cancel(TimerId timer) { tasks_->cancel(timer); }

void EventServer::watch(int descriptor, std::function<void()> function) {
  tasks_->watch(descriptor, std::move(function));
}

void EventServer::unwatch(int descriptor) { tasks_->unwatch(descriptor); }

}  // namespace brood
