// SPDX-License-Identifier: MIT
// One accepted connection. It owns its socket. In a child; one thread at a time.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "brood/descriptor.hpp"

namespace brood {

// What a connection asks of the child that it is in.
class ConnectionKeeper {
 public:
  virtual void note(std::string_view text) = 0;
  virtual bool leaving() const = 0;

 protected:
  ~ConnectionKeeper() = default;
};

class Connection {
 public:
  // A child model's: handlers are given theirs. `listener` and `keeper` outlive the connection.
  Connection(Descriptor socket, const sockaddr_storage& peer, std::string_view listener,
             ConnectionKeeper& keeper);
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;
  ~Connection() { close(); }

  // Waits for input and reads what there is, at most all of `buffer`. 0: the peer has said all that it will.
  // Throws SystemError: the connection broke, or (ETIMEDOUT) nothing came within the read timeout.
  std::size_t read_some(std::span<char> buffer);
  // The next line without its "\n" or "\r\n"; a last line may lack them. Empty: no more. A line longer than
  // `longest` bytes is an Error.
  std::optional<std::string> read_line(std::size_t longest = 8192);
  // Writes everything, waiting as often as it must. Throws SystemError: the connection broke, or (ETIMEDOUT)
  // the peer took nothing within the write timeout.
  void write_all(std::string_view data);

  // How long one wait for input, or for room for output, may last; zero: without end, which is the default.
  void set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write);

  std::string peer() const;   // "192.0.2.7:40312", "[2001:db8::7]:40312", or "unix"
  std::string local() const;  // the address that the peer has connected to
  std::string_view listener() const { return listener_; }  // its name in the configuration, or its address

  // Shown in the scoreboard while this connection is served, and in the log when the child has to be killed.
  // At most 48 bytes, the rest is cut. Costs no system call.
  void note(std::string_view text) { keeper_->note(text); }
  // The child was told to leave: a handler that waits for a next request may close instead.
  bool leaving() const { return keeper_->leaving(); }

  int descriptor() const { return socket_.get(); }  // for other libraries; stays owned by the connection
  // For input and output past this class: what is to be added to the figures.
  void count(std::uint64_t bytes_read, std::uint64_t bytes_written);
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

  // Ends the connection (the destructor does). Input that the handler left unread would turn into a reset at
  // the peer, which may then lose the answer: where there is some, says "no more" first and reads it away,
  // for 2 seconds at most.
  void close();

 private:
  std::size_t read_socket(std::span<char> buffer);
  void linger();

  Descriptor socket_;
  sockaddr_storage peer_;
  std::string_view listener_;
  ConnectionKeeper* keeper_;
  std::string unread_;  // read for a line, and beyond it
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  bool all_read_ = false;  // the peer's end was seen, or the connection is broken: nothing to linger for
};

}  // namespace brood
