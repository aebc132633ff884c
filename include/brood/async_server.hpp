// SPDX-License-Identifier: MIT
// A server whose children serve many connections each, in coroutines over Boost.Asio (a proactor). Derive,
// and override handle_connection():
//
//   class Echo : public brood::AsyncServer {
//     boost::asio::awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
//       char buffer[4096];
//       while (const auto size = co_await connection.next_request(buffer))
//         co_await connection.write_all({buffer, size});
//     }
//   };
//
// It reads like blocking code, and a connection that waits costs neither thread nor process. All coroutines
// of a child run in its one thread: one that blocks or computes holds up all others. The io_context is made
// in the child, after fork; `co_await boost::asio::this_coro::executor` is its executor, for timers and other
// sockets. Nothing of Boost.Asio may be made in the parent.
//
// A program and its library must be compiled with the same Boost; they don't link otherwise.
#pragma once

// clang-format off
#include <utility>  // first: <boost/asio/awaitable.hpp> of Boost 1.74 needs it, and doesn't say so
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/version.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "brood/server_base.hpp"

namespace brood {

class AsyncLoop;
enum class ConnectionState : std::uint8_t;

// One accepted connection, to be awaited on. In a child, in its one thread. Lives until handle_connection()
// has returned, and must not be used after that. One coroutine may read while another one writes.
//
// Errors are a SystemError: the connection broke, or (ETIMEDOUT) it was given up: nothing could be read or
// written for connection-idle-timeout, or it is older than connection-timeout. It need not be caught.
class AsyncConnection {
 public:
  template <typename Result>
  using Awaitable = boost::asio::awaitable<Result>;
  using Socket = boost::asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;

  AsyncConnection(AsyncLoop& loop, Connection connection);  // a child's: handlers are given theirs
  AsyncConnection(const AsyncConnection&) = delete;
  AsyncConnection& operator=(const AsyncConnection&) = delete;
  ~AsyncConnection();

  // Waits for input and reads what there is, at most all of `buffer`. 0: the peer has said all that it will.
  Awaitable<std::size_t> read_some(std::span<char> buffer);
  Awaitable<void> write_all(std::string_view data);

  // Waits between two requests, or for the first one. False: there is none, and the handler should return;
  // because the peer has ended, or nothing came for connection-idle-timeout, or the child was told to leave
  // and nothing came for a second. This is how connections that are kept alive are ended at a reload; in
  // read_some() a connection is in the middle of something, and is waited for.
  Awaitable<bool> next_request();
  // The same, and reads what there is. 0 is its false.
  Awaitable<std::size_t> next_request(std::span<char> buffer);

  // An AsyncReadStream and AsyncWriteStream, for Boost.Asio's own algorithms as async_read_until(). Limits
  // and figures hold there as well; errors are Boost.Asio's.
  executor_type get_executor() { return socket_.get_executor(); }
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, buffers, begun = false](auto& self, boost::system::error_code error = {},
                                       std::size_t size = 0) mutable {
          if (std::exchange(begun, true)) return self.complete(end_wait(Wait::input, error, size), size);
          begin_wait(Wait::input);
          socket_.async_read_some(buffers, std::move(self));
        },
        token, socket_);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, buffers, begun = false](auto& self, boost::system::error_code error = {},
                                       std::size_t size = 0) mutable {
          if (std::exchange(begun, true)) return self.complete(end_wait(Wait::room, error, size), size);
          begin_wait(Wait::room);
          socket_.async_write_some(buffers, std::move(self));
        },
        token, socket_);
  }
  // For everything else. What is read and written with it is to be told to count(); waits in it are not
  // limited by connection-idle-timeout. It stays owned by the connection.
  Socket& socket() { return socket_; }
  void count(std::uint64_t bytes_read, std::uint64_t bytes_written) {
    connection_.count(bytes_read, bytes_written);
  }

  // As those of Connection.
  std::string peer() const { return connection_.peer(); }
  std::string local() const { return connection_.local(); }
  std::string_view listener() const { return connection_.listener(); }
  void note(std::string_view text);
  bool leaving() const { return connection_.leaving(); }
  std::uint64_t bytes_read() const { return connection_.bytes_read(); }
  std::uint64_t bytes_written() const { return connection_.bytes_written(); }

 private:
  friend class AsyncLoop;
  enum class Wait { input, room, request };

  void open();
  void begin_wait(Wait wait);
  boost::system::error_code end_wait(Wait wait, boost::system::error_code error, std::size_t size);
  Awaitable<std::size_t> receive(std::span<char> buffer, Wait wait, int flags);
  [[noreturn]] void broke(const char* doing, const boost::system::error_code& error) const;
  Outcome failure() const;
  ConnectionState state() const;

  AsyncLoop& loop_;
  Connection connection_;
  Socket socket_;                    // the same descriptor
  unsigned waits_ = 0;               // that go on
  bool between_requests_ = false;    // one of them is for a next request
  bool cut_short_ = false;           // they last too long, and were cancelled
  bool silent_ = false;              // what has ended one of them is that nothing came
  boost::system::error_code ended_;  // by the peer, or by a limit
  Outcome outcome_ = Outcome::served;
  bool gone_ = false;  // closed, and out of the child's figures
};

class AsyncServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.many_connections = true}; }

 protected:
  AsyncServer() { same_asio<BOOST_VERSION, on_io_uring>(); }

  // In a child, without privileges. The connection is closed after it has returned. An exception that leaves
  // it ends this connection, is logged and counted as failed, and never ends the child. When the last
  // connection of a child that leaves is done, coroutines that still wait for something are destroyed.
  virtual boost::asio::awaitable<void> handle_connection(AsyncConnection& connection) = 0;

 private:
#ifdef BOOST_ASIO_HAS_IO_URING
  static constexpr bool on_io_uring = true;
#else
  static constexpr bool on_io_uring = false;
#endif
  // The library has the one for the Boost that it was compiled with.
  template <int boost_version, bool io_uring>
  static void same_asio();
};

}  // namespace brood
