// SPDX-License-Identifier: MIT
// Shows leader/followers: the thread that waits also works. When it has got a connection that is ready,
// another thread waits in its place. With threads-per-child, this is what EventServer does: all threads wait
// in one epoll set, the kernel's list of waiting threads is the set of followers, and it makes one of them
// the leader. Each connection is watched once (EPOLLONESHOT), so it has one thread at a time.
//   In the books: Leader/Followers (POSA2). For accepting alone it is the prethreaded or preforked server
//   with a lock around accept (Stevens, UNP 30.7 to 30.11); here the kernel does that as well.
//   Take it: if requests wait or compute, and connections are many. For quick requests one thread needs less.
#include <brood/event_server.hpp>
#include <brood/settings.hpp>

#include "protocol.hpp"

class LeaderFollowers : public brood::EventServer {
  bool thread_safe() const override { return true; }
  void add_settings(brood::Settings& settings) override { settings.set_default("threads-per-child", {"4"}); }

  Next handle_readable(brood::Connection& connection) override {
    while (const auto line = connection.try_line()) connection.write_all(patterns::answer(*line));
    return Next::request;
  }
};

int main(int argc, char** argv) { return LeaderFollowers().run(argc, argv); }
