// SPDX-License-Identifier: MIT
// A relay between the connection of a coroutine and another descriptor, and the wait until one of the two is
// ready. An epoll set of its own holds both. So Boost.Asio has one descriptor to wait for, on epoll and on
// io_uring alike, and the other descriptor may be of any kind. In a child, in its one thread.
#pragma once

#include "brood/async_server.hpp"
// After it:
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "child/connection/relay.hpp"
#include "models/epoll_set.hpp"

namespace brood {

class AsyncRelay {
 public:
  // `head` was read from the connection already. Throws SystemError, or that of Boost.Asio.
  AsyncRelay(const AsyncConnection::executor_type& executor, int connection, int other, std::string head);
  ~AsyncRelay();
  AsyncRelay(const AsyncRelay&) = delete;
  AsyncRelay& operator=(const AsyncRelay&) = delete;

  // Moves what can be moved now, but leaves others their turn. True: there may be more at once. Throws
  // ConnectionError if one of the two is broken.
  bool step();
  bool done() const { return relay_.done(); }

  // Until one of the two is ready, or until cancel(). If both are still open: look(), then step().
  boost::asio::awaitable<boost::system::error_code> wait();
  void cancel() { waits_.cancel(); }
  void look();  // throws ConnectionError, as step()

  // In both directions together, since the last call.
  struct Moved {
    std::size_t read = 0, written = 0;  // of the connection
    bool any = false;
  };
  Moved take_moved();

 private:
  void watch(std::size_t end, const pollfd& wanted);

  const std::array<int, 2> ends_;
  const NonBlockingFor other_;
  Relay relay_;
  EpollSet ready_;
  std::array<std::optional<std::uint32_t>, 2> watched_;  // for these events; empty: it is not in the set
  boost::asio::posix::stream_descriptor waits_;          // the descriptor is that of `ready_`
  std::size_t read_ = 0, written_ = 0, moved_ = 0;       // what take_moved() has told
};

}  // namespace brood
