// SPDX-License-Identifier: MIT
// Shows an echo server on an event loop that is not the kit's: libevent's. When the child is told to leave,
// it gives idle connections a second.
#include <event2/event.h>

#include <brood/server_base.hpp>
#include <map>
#include <memory>

class OwnLoop : public brood::ServerBase {
  using Event = std::unique_ptr<event, decltype([](auto* one) { event_free(one); })>;
  using Base = std::unique_ptr<event_base, decltype([](auto* base) { event_base_free(base); })>;

  brood::ChildModel child_model() const override { return {.many_connections = true}; }
  void serve(brood::Child& child) override {
    child_ = &child;
    base_.reset(event_base_new());  // in the child: processes must not share one
    listeners_ = watch(child.listener_fd(), EV_READ | EV_PERSIST);
    leave_ = watch(child.leave_fd(), EV_READ);
    event_base_dispatch(base_.get());  // returns when no event is left to wait for
  }
  Event watch(int descriptor, short what, std::chrono::milliseconds limit = {}) {
    const auto call = [](int ready, short why, void* me) { static_cast<OwnLoop*>(me)->handle(ready, why); };
    Event watched(event_new(base_.get(), descriptor, what, call, this));
    const timeval time{limit.count() / 1000, limit.count() % 1000 * 1000};
    event_add(watched.get(), limit.count() > 0 ? &time : nullptr);
    return watched;
  }
  void handle(int ready, short why) {
    if (const auto found = connections_.find(ready); found != connections_.end())
      return echo(found->second, why);
    while (auto connection = child_->try_accept())
      wait_for(connections_.try_emplace(connection->descriptor(), std::move(*connection)).first->second);
    if (!child_->leaving()) return;
    if (child_->beginning() == 0) listeners_.reset();
    for (auto& [descriptor, connection] : connections_) wait_for(connection);
  }
  void wait_for(brood::Connection& connection) {
    const bool last = child_->leaving() && connection.bytes_read() > 0;
    connection.state<Event>() = watch(connection.descriptor(), connection.has_output() ? EV_WRITE : EV_READ,
                                      last ? std::chrono::seconds(1) : child_->limits().idle_timeout);
  }
  void echo(brood::Connection& connection, short why) try {
    char buffer[4096];
    const auto size = why != EV_TIMEOUT && connection.flush() ? connection.try_read(buffer) : std::nullopt;
    if (size) connection.write_all({buffer, *size});
    if (why != EV_TIMEOUT && (connection.has_output() || !connection.ended())) return wait_for(connection);
    finish(connection, brood::Outcome::served);
  } catch (const std::exception&) {
    finish(connection, brood::Outcome::failed);
  }
  void finish(const brood::Connection& connection, brood::Outcome outcome) {
    child_->finished(std::move(connections_.extract(connection.descriptor()).mapped()), outcome);
  }
  brood::Child* child_ = nullptr;
  Base base_;
  Event listeners_, leave_;
  std::map<int, brood::Connection> connections_;
};

int main(int argc, char** argv) { return OwnLoop().run(argc, argv); }
