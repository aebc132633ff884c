// SPDX-License-Identifier: MIT
// One accepted connection. It owns its socket. In a child; one thread at a time.
//
// In an event loop the socket does not block: writing never waits, and what the peer does not take now is
// kept and sent by the loop. Members called read_… wait in every child model, those called try_… never do.
#pragma once

#include "brood/cxx20.hpp"

#include <sys/socket.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "brood/address.hpp"
#include "brood/bytes.hpp"
#include "brood/descriptor.hpp"
#include "brood/handler_state.hpp"
#include "brood/scoreboard_types.hpp"

namespace brood {

struct ProxyHeader;  // proxy_header.hpp

// What a connection needs from its child.
class ConnectionHost {
 public:
  virtual void note(ConnectionId id, std::string_view text) = 0;
  virtual bool leaving() const = 0;
  virtual bool detached() const = 0;  // the child has given its slot back: no deadline holds any more
  virtual void extend_deadline(ConnectionId id, std::chrono::steady_clock::time_point until) = 0;

  // Around each read of a socket that blocks. Then the read may end with EAGAIN, and is to be tried again.
  virtual void begin_read(int /*socket*/) {}
  virtual bool read_was_cut() const { return false; }
  virtual void end_read() {}
  // Clients wait for a child: a wait for input is to have a limit.
  virtual bool overloaded() const { return false; }
  static constexpr auto no_limit = std::chrono::nanoseconds::max();
  // A peer was waited for so long since it was last answered, and has sent so many bytes since: after which
  // time of further waiting to ask again. 0: it has used up its time.
  virtual std::chrono::nanoseconds patience(std::chrono::nanoseconds /*waited*/, std::uint64_t /*bytes*/) {
    return no_limit;
  }

 protected:
  ~ConnectionHost() = default;
};

// Of src/child/connection.
class InputBuffer;
class Relay;
struct Wanted;

// The size of the length before a frame.
template <int length_size>
constexpr unsigned checked_length_size() {
  static_assert(length_size == 1 || length_size == 2 || length_size == 4, "a length has 1, 2 or 4 bytes");
  return length_size;
}

class Connection {
 public:
  static constexpr auto no_deadline = std::chrono::steady_clock::time_point::max();

  // For child models; handlers get their connection from the kit. `listener` and `host` must outlive it.
  struct Origin {
    const sockaddr_storage& peer;
    std::string_view listener;
    ConnectionHost& host;
    ConnectionId id = 0;
    bool blocks = true;  // whether the socket does
    std::chrono::steady_clock::time_point deadline = no_deadline;
    std::chrono::steady_clock::time_point first_byte = no_deadline;  // when the peer has sent one at last
  };
  Connection(Descriptor socket, const Origin& origin);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // ---- Reading

  // Waits for input and reads what there is, at most the size of the buffer. 0: the peer sends no more.
  // Throws ConnectionError if the connection breaks, TimeoutError if nothing comes within the read timeout.
  std::size_t read_some(Buffer buffer);
  // The next line without its "\n" or "\r\n"; the last line may lack them. Empty: the peer sends no more.
  // Throws TooLongError if that is longer than `longest` bytes, and as read_some().
  std::optional<std::string> read_line(std::size_t longest = 8192);
  // The same for what is before a delimiter, which is not empty; for so many bytes; for what follows its own
  // length, a number of 1, 2 or 4 bytes in network byte order. If the peer ends within one of these, they
  // throw ConnectionError.
  std::optional<std::string> read_until(std::string_view delimiter, std::size_t longest = 8192);
  std::optional<std::string> read_exact(std::size_t size);
  template <int length_size>
  std::optional<std::string> read_frame(std::size_t longest = 8192) {
    return read_frame(checked_length_size<length_size>(), longest);
  }
  // Fills the buffer. False: the peer sends no more.
  bool read_exact(Buffer buffer);
  // After a TooLongError: drops the line or the like that was too long. This does not wait: the rest is
  // dropped when it comes, and is never in memory as a whole. The next call that reads returns what is behind
  // it. Without such a call the input is still there to be read.
  void skip();

  // The same without waiting. try_read: empty if there is no input now, 0 at the end. The others: empty or
  // false if not all of it is there now, or if the peer sends no more; ended() tells the two apart. They are
  // also empty while the peer has not yet taken what was written, so a handler that reads and answers in a
  // loop cannot fill the memory.
  std::optional<std::size_t> try_read(Buffer buffer);
  std::optional<std::string> try_line(std::size_t longest = 8192);
  std::optional<std::string> try_until(std::string_view delimiter, std::size_t longest = 8192);
  std::optional<std::string> try_exact(std::size_t size);
  template <int length_size>
  std::optional<std::string> try_frame(std::size_t longest = 8192) {
    return try_frame(checked_length_size<length_size>(), longest);
  }
  bool try_exact(Buffer buffer);
  // The peer sends no more, and all of its input was read.
  bool ended() const;

  // ---- Writing

  // Writes all data, and waits as often as necessary. Throws ConnectionError if the connection breaks,
  // TimeoutError if the peer takes nothing within the write timeout. `more`: more data follows at once, and
  // the kernel may send both together.
  void write_all(Bytes data, bool more = false);
  // Several pieces in one system call: write_all(head, body), or any number of them.
  template <std::convertible_to<Bytes>... Pieces>
  requires(sizeof...(Pieces) > 1) void write_all(const Pieces&... pieces) {
    const Bytes all[] = {Bytes(pieces)...};
    write_all(std::span<const Bytes>(all));
  }
  void write_all(std::span<const Bytes> pieces);
  // The same for `size` bytes of a file from `offset` on. The kernel copies them (sendfile). Throws Error if
  // the file has become shorter.
  void send_file(Descriptor file, std::uint64_t offset, std::uint64_t size);
  // Tells the peer that nothing more is written, after what was written before. Reading goes on. Writing
  // throws ConnectionError from then on.
  void shutdown_write();

  // Passes on what comes in both directions, until both have ended: between this connection and a connected
  // socket, or another descriptor. The end of one direction is passed on, and the other one goes on. The
  // kernel moves the bytes (splice) if it can. Throws ConnectionError if one of the two breaks, TimeoutError
  // if nothing moves within the read timeout. In every child model it waits.
  void relay(const Descriptor& other);
  void relay(Connection& other);

  // ---- Limits

  // How long one wait for input, and one wait for room for output, may last. 0: no limit, the default.
  void set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write);
  // From the deadline on, reading and writing throw TimeoutError, at once or out of their wait. It is
  // connection-timeout after the connection was accepted; without that setting there is none. A handler may
  // move it at any time, for a last answer too. extend_deadline() sets it to `time` from now if there is one
  // and that is later; set_deadline() in any case. Both take an hour at most. Several seconds after
  // connection-timeout, or a later deadline, the parent ends the child; an earlier deadline does not change
  // that.
  void extend_deadline(std::chrono::milliseconds time);
  void set_deadline(std::chrono::milliseconds time);

  // ---- The peer

  std::string peer() const;   // "192.0.2.7:40312", "[2001:db8::7]:40312", or "unix"
  std::string local() const;  // the address that the peer connected to, in the same form
  Address peer_address() const { return Address(peer_); }
  std::optional<PeerCredentials> peer_credentials() const;  // empty: it is no unix socket, or see below
  std::string_view listener() const { return listener_; }   // its name in the configuration, or its address
  // With `proxy` at the listener: what the balancer says. The peer is then its client, if it names one.
  // nullptr: the listener has no `proxy`.
  const ProxyHeader* proxy_header() const;
  Address sender_address() const;  // of the balancer; otherwise of the peer

  // ---- The rest

  // Shows a text on the scoreboard while the connection is served, and in the log if the child has to be
  // killed. It is cut after 48 bytes. It costs no system call.
  void note(std::string_view text) { host_->note(id_, text); }
  // The child was told to leave. A handler that waits for another request may close the connection instead.
  bool leaving() const { return host_->leaving(); }

  int descriptor() const { return socket_.get(); }  // for other libraries; the connection still owns it
  // Adds bytes that were read and written without this class to the figures.
  void add_bytes(std::uint64_t bytes_read, std::uint64_t bytes_written);
  std::uint64_t bytes_read() const { return bytes_.read; }
  std::uint64_t bytes_written() const { return bytes_.written; }

  // An object of one type that belongs to the connection. The first call creates it; it is destroyed with the
  // connection. Throws Error if it has another type.
  template <typename State>
  State& state() {
    return state_.get<State>();
  }

  // Ends the connection, as the destructor does. If input is left unread, the socket is first shut down for
  // writing, and the input is read and dropped for at most linger_time. Otherwise the peer would get a reset
  // and might lose the answer. If the socket does not block, this does not wait; use half_close().
  void close();

  // ---- For the kit
  void begin(ProxyHeader header);  // the header has come

  // ---- For child models with an event loop
  ConnectionId id() const { return id_; }
  std::chrono::steady_clock::time_point deadline() const { return limits_.deadline; }
  // Until something was read of the peer; then, and if there is no such limit, no_deadline.
  std::chrono::steady_clock::time_point first_byte_deadline() const {
    return bytes_.read == 0 ? limits_.first_byte : no_deadline;
  }
  bool has_own_deadline() const { return limits_.own_deadline; }  // by set_deadline()
  bool peer_ended() const { return all_read_; }  // the peer sends no more, or the connection is broken
  // Limits what try_… members take from the socket until the next call. At the limit they are
  // empty. So a peer that sends without end cannot keep the loop to itself. Without a call there is no limit.
  void limit_input(std::size_t bytes) {
    input_limit_ = bytes;
    found_none_ = false;
  }
  // What the handler has got of the input; and whether some was read that it has not asked for: since
  // limit_input(), no try_… has looked for more and found none.
  std::uint64_t bytes_taken() const;
  bool has_unseen_input() const;
  bool has_output() const { return output_ != nullptr; }  // something was written that the peer has not taken
  bool flush();  // sends what the peer takes now; true: nothing is left
  // The steps of close(); a handler uses shutdown_write(). half_close() is true if input was left unread; it
  // has then shut down the socket for writing. Call drop_input() each time that input comes, until it is
  // true, for at most linger_time, and then close(). After half_close() close() does not wait.
  bool half_close();
  bool drop_input();
  static constexpr std::chrono::seconds linger_time{2};

 private:
  struct Output;
  struct Sender;
  enum class Wait : std::uint8_t { yes, no };
  std::optional<std::size_t> receive(std::span<char> buffer, int flags);
  std::optional<std::size_t> wait_and_receive(std::span<char> buffer);
  std::optional<std::size_t> read_socket(std::span<char> buffer, Wait wait);
  bool fill_input(Wait wait);
  std::optional<std::size_t> take_some(std::span<char> buffer, Wait wait);
  std::optional<std::string> take(Wanted wanted, Wait wait);
  std::optional<std::string> read_frame(unsigned length_size, std::size_t longest);
  std::optional<std::string> try_frame(unsigned length_size, std::size_t longest);
  InputBuffer& input();
  std::string release_input();
  void count_relayed(const Relay& relay);
  void run_relay(Relay& relay, int other);
  void check_open() const;
  bool may_send_again();
  std::size_t send_some(std::string_view data, bool more);
  std::size_t send_some(std::span<const Bytes> pieces, std::size_t offset);
  std::size_t send_some_of(const Descriptor& file, std::uint64_t offset, std::uint64_t size);
  void wait_for(short event);
  std::chrono::nanoseconds patience();
  bool is_over(std::chrono::steady_clock::time_point& deadline);
  void check_deadline(const char* doing);
  int wait_flag() const;
  [[noreturn]] void broke(const char* doing, int error_number);
  const char* deadline_name() const;
  [[noreturn]] void timed_out(const char* doing, const char* by) const;

  Descriptor socket_;
  sockaddr_storage peer_;
  std::string_view listener_;
  ConnectionHost* host_;
  ConnectionId id_;
  bool blocks_;
  struct {
    std::chrono::milliseconds read{0}, write{0};
    std::chrono::steady_clock::time_point deadline = no_deadline, first_byte = no_deadline;
    bool own_deadline = false;  // the handler has set it
    // While clients waited for a child, since the last answer: how long this peer was waited for; and what
    // was read and written until then.
    std::chrono::nanoseconds waited{0};
    std::uint64_t read_before = 0, written_before = 0;
  } limits_;
  std::unique_ptr<Output> output_;
  HandlerState state_;
  std::unique_ptr<Sender> sender_;  // with a PROXY header
  std::size_t input_limit_ = SIZE_MAX;
  std::unique_ptr<InputBuffer> input_;  // what was read and not yet taken; made when it is needed
  bool found_none_ = false;             // the last read that did not wait was empty
  struct {
    std::uint64_t read = 0, written = 0;
  } bytes_;
  bool all_read_ = false;  // the peer sends no more, or the connection is broken
  bool half_closed_ = false;
};

}  // namespace brood
