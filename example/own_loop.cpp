// SPDX-License-Identifier: MIT
// An event loop of one's own in the children: libevent's. What it must do for the child is all in class Loop:
// accept while there is room, close what stays idle, and end when it is told to leave and nothing is in hand.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include <brood/server_base.hpp>
#include <map>
#include <memory>

template <auto free>
struct FreedBy {
  void operator()(auto* it) const { free(it); }
};
using Base = std::unique_ptr<event_base, FreedBy<event_base_free>>;
using Event = std::unique_ptr<event, FreedBy<event_free>>;
using Stream = std::unique_ptr<bufferevent, FreedBy<bufferevent_free>>;

class Loop {
 public:
  explicit Loop(brood::Child& child) : child_(child) {
    accept_.reset(event_new(base_.get(), child.listener_fd(), EV_READ | EV_PERSIST, on_arrival, this));
    leave_.reset(event_new(base_.get(), child.leave_fd(), EV_READ, on_leave, this));
    event_add(accept_.get(), nullptr);
    event_add(leave_.get(), nullptr);
  }
  void run() { event_base_dispatch(base_.get()); }  // until there is nothing to wait for

 private:
  struct Session {
    Loop& loop;
    brood::Connection connection;
    Stream stream;
  };

  static void on_arrival(int, short, void* loop) { static_cast<Loop*>(loop)->take_one(); }
  static void on_leave(int, short, void* self) {
    Loop& loop = *static_cast<Loop*>(self);
    while (loop.take_one()) continue;
    event_del(loop.accept_.get());
    for (auto& [seat, session] : loop.sessions_) set_patience(session, {.tv_sec = 1});
  }
  static void on_input(bufferevent* stream, void* session) {  // echo
    const std::size_t size = evbuffer_get_length(bufferevent_get_input(stream));
    static_cast<Session*>(session)->connection.count(size, size);
    bufferevent_write_buffer(stream, bufferevent_get_input(stream));
    bufferevent_disable(stream, EV_READ);  // until it has been sent: what a peer doesn't read fills no memory
  }
  static void on_sent(bufferevent* stream, void*) { bufferevent_enable(stream, EV_READ); }
  static void on_end(bufferevent* stream, short what, void* self) {
    Session& session = *static_cast<Session*>(self);
    bufferevent_disable(stream, EV_READ | EV_WRITE);
    const auto outcome = (what & BEV_EVENT_ERROR) != 0 ? brood::Outcome::failed : brood::Outcome::served;
    const auto node = session.loop.sessions_.extract(session.connection.seat());
    session.loop.child_.finished(std::move(session.connection), outcome);
  }
  static void set_patience(const Session& session, timeval time) {
    bufferevent_set_timeouts(session.stream.get(), &time, &time);
  }

  bool take_one() {
    auto connection = child_.try_accept();
    if (!connection) return false;
    const brood::Seat seat = connection->seat();
    Stream stream(bufferevent_socket_new(base_.get(), connection->descriptor(), 0));
    Session& session =
        sessions_.try_emplace(seat, *this, std::move(*connection), std::move(stream)).first->second;
    bufferevent_setcb(session.stream.get(), on_input, on_sent, on_end, &session);
    if (const auto idle = child_.limits().idle_timeout.count(); idle > 0)
      set_patience(session, {.tv_sec = idle / 1000, .tv_usec = idle % 1000 * 1000});
    bufferevent_enable(session.stream.get(), EV_READ);
    return true;
  }

  brood::Child& child_;
  Base base_{event_base_new()};  // in the child: not to be shared with others by fork()
  Event accept_, leave_;
  std::map<brood::Seat, Session> sessions_;
};

class OwnLoop : public brood::ServerBase {
  brood::ChildModel child_model() const override { return {.many_connections = true}; }
  void serve(brood::Child& child) override { Loop(child).run(); }
};

int main(int argc, char** argv) { return OwnLoop().run(argc, argv); }
