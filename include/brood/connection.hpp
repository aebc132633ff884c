// SPDX-License-Identifier: MIT
// One accepted connection. It owns its socket. In a child; one thread at a time.
//
// Whether its socket blocks is the child model's choice. In an event loop it doesn't: writing never waits
// then, and what the peer doesn't take now is kept and sent by the loop; read_some() and read_line() wait all
// the same, try_read() and try_line() never do.
#pragma once

#include "brood/cxx20.hpp"

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "brood/descriptor.hpp"
#include "brood/scoreboard_types.hpp"

namespace brood {

// What a connection asks of the child that it is in.
class ConnectionHost {
 public:
  virtual void note(ConnectionId id, std::string_view text) = 0;
  virtual bool leaving() const = 0;

 protected:
  ~ConnectionHost() = default;
};

class Connection {
 public:
  // A child's: handlers are given theirs. `listener` and `keeper` outlive the connection.
  struct Origin {
    const sockaddr_storage& peer;
    std::string_view listener;
    ConnectionHost& host;
    ConnectionId id = 0;
    bool blocks = true;  // the socket
  };
  Connection(Descriptor socket, const Origin& origin);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Waits for input and reads what there is, at most all of `buffer`. 0: the peer has said all that it will.
  // Throws SystemError: the connection broke, or (ETIMEDOUT) nothing came within the read timeout.
  std::size_t read_some(std::span<char> buffer);
  // The next line without its "\n" or "\r\n"; a last line may lack them. Empty: no more. A line longer than
  // `longest` bytes is an Error.
  std::optional<std::string> read_line(std::size_t longest = 8192);
  // The same without waiting. try_read: empty where there is nothing now, 0 at the end. try_line: empty where
  // there is no whole line now, or no more; ended() tells which. Both are empty, too, as long as the peer has
  // not taken what was written: a handler that reads in a loop and answers fills no memory.
  std::optional<std::size_t> try_read(std::span<char> buffer);
  std::optional<std::string> try_line(std::size_t longest = 8192);
  bool ended() const { return all_read_ && unread_.empty(); }  // everything that came was read
  // Writes everything, waiting as often as it must. Throws SystemError: the connection broke, or (ETIMEDOUT)
  // the peer took nothing within the write timeout. `more`: something follows at once, and both may go
  // together.
  void write_all(std::string_view data, bool more = false);
  // The same for `size` bytes of a file from `offset` on, which the kernel copies (sendfile). A file that has
  // become shorter is an Error.
  void send_file(Descriptor file, std::uint64_t offset, std::uint64_t size);

  // How long one wait for input, or for room for output, may last; zero: without end, which is the default.
  void set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write);

  std::string peer() const;   // "192.0.2.7:40312", "[2001:db8::7]:40312", or "unix"
  std::string local() const;  // the address that the peer has connected to
  std::string_view listener() const { return listener_; }  // its name in the configuration, or its address

  // Shown in the scoreboard while this connection is served, and in the log when the child has to be killed.
  // At most 48 bytes, the rest is cut. Costs no system call.
  void note(std::string_view text) { host_->note(id_, text); }
  // The child was told to leave: a handler that waits for a next request may close instead.
  bool leaving() const { return host_->leaving(); }

  int descriptor() const { return socket_.get(); }  // for other libraries; stays owned by the connection
  // For input and output past this class: what is to be added to the figures.
  void count(std::uint64_t bytes_read, std::uint64_t bytes_written);
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

  // What the handler wants to keep with this connection, of one type; made at the first call, gone with the
  // connection.
  template <typename State>
  State& state() {
    if (!state_) state_ = std::make_shared<State>();
    return *static_cast<State*>(state_.get());
  }

  // Ends the connection (the destructor does). Input that the handler left unread would turn into a reset at
  // the peer, which may then lose the answer: where there is some, says "no more" first and reads it away,
  // for 2 seconds at most. Where the socket doesn't block this doesn't wait: there is half_close() for it.
  void close();

  // ---- for child models with an event loop
  ConnectionId id() const { return id_; }
  // How much try_read() and try_line() take from the socket until this is called again; then they are empty.
  // So no peer that sends without end has the loop to itself. Without a call: no limit.
  void allow(std::size_t bytes) { allowance_ = bytes; }
  bool has_output() const { return output_ != nullptr; }  // written, and not taken by the peer yet
  bool flush();                                           // true: nothing is left
  // In steps what close() does in one go. half_close() says "no more" where input was left unread; true: that
  // is to be read away with read_away(), until it is true, for linger_time at most, and then close(). After
  // half_close(), whatever it returned, close() doesn't wait.
  bool half_close();
  bool read_away();
  static constexpr std::chrono::seconds linger_time{2};

 private:
  struct Output;
  std::optional<std::size_t> receive(std::span<char> buffer);
  std::optional<std::size_t> try_receive(std::span<char> buffer);
  std::size_t read_socket(std::span<char> buffer);
  std::optional<std::string> take_line(std::size_t longest, std::size_t& searched);
  std::size_t send_some(std::string_view data, bool more);
  std::size_t send_some_of(const Descriptor& file, std::uint64_t offset, std::uint64_t size);
  void wait_for(short event) const;
  [[noreturn]] void broke(const char* doing, int error_number);

  Descriptor socket_;
  sockaddr_storage peer_;
  std::string_view listener_;
  ConnectionHost* host_;
  ConnectionId id_;
  bool blocks_;
  std::chrono::milliseconds read_timeout_{0}, write_timeout_{0};
  std::unique_ptr<Output> output_;
  std::shared_ptr<void> state_;
  std::size_t allowance_ = SIZE_MAX;
  std::string unread_;  // read for a line, and beyond it
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  bool all_read_ = false;  // the peer's end was seen, or the connection is broken: nothing to linger for
  bool half_closed_ = false;
};

}  // namespace brood
