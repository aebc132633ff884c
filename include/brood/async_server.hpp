// SPDX-License-Identifier: MIT
// A server whose children serve many connections each, in coroutines on Boost.Asio (a proactor). Derive, and
// override handle_connection():
//
//   class Echo : public brood::AsyncServer {
//     boost::asio::awaitable<void> handle_connection(brood::AsyncConnection& connection) override {
//       char buffer[4096];
//       while (const auto size = co_await connection.next_request(buffer))
//         co_await connection.write_all({buffer, size});
//     }
//   };
//
// It reads like blocking code, and a connection that waits needs no thread and no process. All coroutines of
// a child run in its one thread: one that blocks or computes delays all others. The io_context is made in the
// child, after fork(); `co_await boost::asio::this_coro::executor` returns its executor, for timers and other
// sockets. No object of Boost.Asio may be made in the parent.
//
// The program and the library must be compiled with the same version of Boost; otherwise they don't link.
#pragma once

#include "brood/cxx20.hpp"

// clang-format off
#include <utility>  // first: <boost/asio/awaitable.hpp> of Boost 1.74 needs it and does not include it
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/version.hpp>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "brood/server_base.hpp"

namespace brood {

class AsyncLoop;
class AsyncRelay;
enum class ConnectionState : std::uint8_t;

// One accepted connection, for coroutines to wait on. In a child, in its one thread. It must not be used
// after handle_connection() has returned. One coroutine may read while another one writes.
//
// Its members throw ConnectionError if the connection broke, TimeoutError if nothing could be read or written
// for connection-idle-timeout, or if it is older than connection-timeout. Handlers need not catch it.
class AsyncConnection {
 public:
  template <typename Result>
  using Awaitable = boost::asio::awaitable<Result>;
  using Socket = boost::asio::generic::stream_protocol::socket;
  using executor_type = Socket::executor_type;

  AsyncConnection(AsyncLoop& loop, Connection connection);  // for the kit
  AsyncConnection(const AsyncConnection&) = delete;
  AsyncConnection& operator=(const AsyncConnection&) = delete;
  ~AsyncConnection();

  // ---- Reading and writing: the same as in Connection. A delimiter, a buffer and what is written must last
  // until the end of the wait.
  Awaitable<std::size_t> read_some(Buffer buffer);
  Awaitable<std::optional<std::string>> read_line(std::size_t longest = 8192);
  Awaitable<std::optional<std::string>> read_until(std::string_view delimiter, std::size_t longest = 8192);
  Awaitable<std::optional<std::string>> read_exact(std::size_t size);
  template <int length_size>
  Awaitable<std::optional<std::string>> read_frame(std::size_t longest = 8192) {
    return read_frame(checked_length_size<length_size>(), longest);
  }
  Awaitable<bool> read_exact(Buffer buffer);
  void skip();
  bool ended() const;
  Awaitable<void> write_all(Bytes data);
  template <std::convertible_to<Bytes>... Pieces>
  requires(sizeof...(Pieces) > 1) Awaitable<void> write_all(const Pieces&... pieces) {
    return write_pieces({Bytes(pieces)...});
  }
  Awaitable<void> write_all(std::span<const Bytes> pieces);
  void shutdown_write();
  // As in Connection, to a descriptor that is not one of Boost.Asio at the same time: `socket.release()`
  // takes it from there. Nobody else may read from the two, or write to them, until it has returned.
  Awaitable<void> relay(const Descriptor& other);

  // Waits for the next request, or for the first one. False: there is none, and the handler should return.
  // The peer has ended, or nothing came for connection-idle-timeout, or the child was told to leave and
  // nothing came for a second. So a reload ends connections that are kept alive; a connection that waits in
  // read_some() is within a request, and the child waits for it. A request that was read already, behind the
  // last one, is there at once.
  Awaitable<bool> next_request();
  // The same, and reads what there is. 0: there is no next request.
  Awaitable<std::size_t> next_request(Buffer buffer);

  // This is an AsyncReadStream and AsyncWriteStream, for Boost.Asio's algorithms such as async_read_until().
  // What was read already comes first. Timeouts and figures include them; errors are those of Boost.Asio.
  executor_type get_executor() { return socket_.get_executor(); }
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, buffers, step = Step::begin](auto& self, boost::system::error_code error = {},
                                            std::size_t size = 0) mutable {
          if (step == Step::reads) return self.complete(end_wait(Wait::input, error, size), size);
          if (step == Step::skips) {
            error = end_wait(Wait::input, error, 0);
            if (!error) error = read_now();
          }
          if (error) return self.complete(error, 0);
          const auto unread = this->unread();
          if (!unread.empty() || peer_ended_) {
            // A handler must not be called before this function has returned.
            if (std::exchange(step, Step::waits) == Step::begin)
              return boost::asio::post(socket_.get_executor(), std::move(self));
            if (unread.empty()) return self.complete(ended_ = boost::asio::error::eof, 0);
            const std::size_t copied = boost::asio::buffer_copy(buffers, boost::asio::buffer(unread));
            consume(copied);
            return self.complete({}, copied);
          }
          begin_wait(Wait::input);
          step = skips() ? Step::skips : Step::reads;
          if (step == Step::skips) return socket_.async_wait(Socket::wait_read, std::move(self));
          socket_.async_read_some(buffers, std::move(self));
        },
        token, socket_);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        [this, buffers, begun = false](auto& self, boost::system::error_code error = {},
                                       std::size_t size = 0) mutable {
          if (std::exchange(begun, true)) return self.complete(end_wait(Wait::output, error, size), size);
          begin_wait(Wait::output);
          socket_.async_write_some(buffers, std::move(self));
        },
        token, socket_);
  }
  // For everything else; the connection still owns it. Pass to add_bytes() what is read and written with it.
  // Waits for it are not limited by connection-idle-timeout.
  Socket& socket() { return socket_; }
  void add_bytes(std::uint64_t bytes_read, std::uint64_t bytes_written) {
    connection_.add_bytes(bytes_read, bytes_written);
  }

  // ---- The same as in Connection
  std::string peer() const { return connection_.peer(); }
  std::string local() const { return connection_.local(); }
  Address peer_address() const { return connection_.peer_address(); }
  std::optional<PeerCredentials> peer_credentials() const { return connection_.peer_credentials(); }
  std::string_view listener() const { return connection_.listener(); }
  const ProxyHeader* proxy_header() const { return connection_.proxy_header(); }
  Address sender_address() const { return connection_.sender_address(); }
  void note(std::string_view text);
  void extend_deadline(std::chrono::milliseconds time);
  void set_deadline(std::chrono::milliseconds time);
  bool leaving() const { return connection_.leaving(); }
  std::uint64_t bytes_read() const { return connection_.bytes_read(); }
  std::uint64_t bytes_written() const { return connection_.bytes_written(); }
  template <typename State>
  State& state() {
    return state_.get<State>();
  }

 private:
  friend class AsyncLoop;
  enum class Wait { input, output, request };
  enum class Step { begin, waits, skips, reads };

  void open();
  void begin_wait(Wait wait);
  boost::system::error_code end_wait(Wait wait, boost::system::error_code error, std::size_t size);
  Awaitable<std::size_t> receive(std::span<char> buffer, Wait wait, int flags);
  Awaitable<std::size_t> fill_input(Wait wait);
  Awaitable<std::size_t> take_some(std::span<char> buffer, Wait wait);
  Awaitable<std::optional<std::string>> take(Wanted wanted);
  Awaitable<std::optional<std::string>> read_frame(unsigned length_size, std::size_t longest);
  Awaitable<void> write_pieces(std::vector<Bytes> pieces);
  Awaitable<void> run_relay(AsyncRelay& relay);
  bool count_relayed(AsyncRelay& relay);
  void cancel();
  std::string_view unread() const;
  void consume(std::size_t size);
  bool skips() const;
  boost::system::error_code read_now();
  [[noreturn]] void broke(const char* doing, const boost::system::error_code& error) const;
  Outcome seen_with(Outcome by_handler) const;
  Outcome failure() const;
  ConnectionState connection_state() const;

  AsyncLoop& loop_;
  Connection connection_;
  Socket socket_;                       // the same descriptor
  std::unique_ptr<InputBuffer> input_;  // what was read and not yet taken
  HandlerState state_;                  // not in `connection_`, which may end before its handler
  unsigned waits_ = 0;                  // how many have not ended
  unsigned output_waits_ = 0;           // of these, for the peer to take output
  bool between_requests_ = false;       // one of them is for the next request
  bool cut_short_ = false;              // they took too long, and were cancelled
  bool peer_ended_ = false;             // the peer sends no more, or the connection is broken
  boost::system::error_code ended_;     // the error of the wait that ended last
  AsyncRelay* relay_ = nullptr;         // one is under way
  Outcome outcome_ = Outcome::served;
  bool closed_ = false;  // and handed back to the child
};

class AsyncServer : public ServerBase {
 public:
  void serve(Child& child) override;
  ChildModel child_model() const override { return {.many_connections = true}; }

 protected:
  AsyncServer() { require_same_boost<BOOST_VERSION, on_io_uring>(); }

  // Called in a child, without privileges. The connection is closed when it returns. An exception ends the
  // connection, as in Server, and not the child. When the last connection of
  // a child that leaves has ended, coroutines that still wait for something are destroyed.
  virtual boost::asio::awaitable<void> handle_connection(AsyncConnection& connection) = 0;

 private:
#ifdef BOOST_ASIO_HAS_IO_URING
  static constexpr bool on_io_uring = true;
#else
  static constexpr bool on_io_uring = false;
#endif
  // The library defines it for the version of Boost that it was compiled with.
  template <int boost_version, bool io_uring>
  static void require_same_boost();
};

}  // namespace brood
