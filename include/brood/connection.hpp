// SPDX-License-Identifier: MIT
// One accepted connection. It owns its socket. In a child; one thread at a time.
//
// In an event loop the socket does not block: writing never waits, and what the peer does not take now is
// kept and sent by the loop. read_some() and read_line() wait in every child model, try_read() and try_line()
// never do.
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

// What a connection needs from its child.
class ConnectionHost {
 public:
  virtual void note(ConnectionId id, std::string_view text) = 0;
  virtual bool leaving() const = 0;

 protected:
  ~ConnectionHost() = default;
};

class Connection {
 public:
  // For child models; handlers get their connection from the kit. `listener` and `host` must outlive it.
  struct Origin {
    const sockaddr_storage& peer;
    std::string_view listener;
    ConnectionHost& host;
    ConnectionId id = 0;
    bool blocks = true;  // whether the socket does
  };
  Connection(Descriptor socket, const Origin& origin);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Waits for input and reads what there is, at most the size of the buffer. 0: the peer sends no more.
  // Throws SystemError if the connection breaks, or (ETIMEDOUT) if nothing comes within the read timeout.
  std::size_t read_some(std::span<char> buffer);
  // The next line without its "\n" or "\r\n"; the last line may lack them. Empty: there are no more lines.
  // Throws Error if a line is longer than `longest` bytes, and as read_some().
  std::optional<std::string> read_line(std::size_t longest = 8192);
  // The same without waiting. try_read: empty if there is no input now, 0 at the end. try_line: empty if
  // there is no whole line now, or if there are no more lines; ended() tells the two apart. Both are also
  // empty while the peer has not yet taken what was written, so a handler that reads and answers in a loop
  // cannot fill the memory.
  std::optional<std::size_t> try_read(std::span<char> buffer);
  std::optional<std::string> try_line(std::size_t longest = 8192);
  // The peer sends no more, and all of its input was read.
  bool ended() const { return all_read_ && unread_.empty(); }
  // Writes all data, and waits as often as necessary. Throws SystemError if the connection breaks, or
  // (ETIMEDOUT) if the peer takes nothing within the write timeout. `more`: more data follows at once, and
  // the kernel may send both together.
  void write_all(std::string_view data, bool more = false);
  // The same for `size` bytes of a file from `offset` on. The kernel copies them (sendfile). Throws Error if
  // the file has become shorter.
  void send_file(Descriptor file, std::uint64_t offset, std::uint64_t size);

  // How long one wait for input, and one wait for room for output, may last. 0: no limit, the default.
  void set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write);

  std::string peer() const;   // "192.0.2.7:40312", "[2001:db8::7]:40312", or "unix"
  std::string local() const;  // the address that the peer connected to, in the same form
  std::string_view listener() const { return listener_; }  // its name in the configuration, or its address

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
  // connection.
  template <typename State>
  State& state() {
    if (!state_) state_ = std::make_shared<State>();
    return *static_cast<State*>(state_.get());
  }

  // Ends the connection, as the destructor does. If input is left unread, the socket is first shut down for
  // writing, and the input is read and dropped for at most linger_time. Otherwise the peer would get a reset
  // and might lose the answer. If the socket does not block, this does not wait; use half_close().
  void close();

  // ---- For child models with an event loop
  ConnectionId id() const { return id_; }
  // Limits what try_read() and try_line() take from the socket until the next call. At the limit they are
  // empty. So a peer that sends without end cannot keep the loop to itself. Without a call there is no limit.
  void limit_input(std::size_t bytes) { input_limit_ = bytes; }
  bool has_output() const { return output_ != nullptr; }  // something was written that the peer has not taken
  bool flush();  // sends what the peer takes now; true: nothing is left
  // The steps of close(). half_close() is true if input was left unread; it has then shut down the socket for
  // writing. Call drop_input() each time that input comes, until it is true, for at most linger_time, and
  // then close(). After half_close() close() does not wait.
  bool half_close();
  bool drop_input();
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
  std::size_t input_limit_ = SIZE_MAX;
  std::string unread_;  // input behind the last line that was returned
  struct {
    std::uint64_t read = 0, written = 0;
  } bytes_;
  bool all_read_ = false;  // the peer sends no more, or the connection is broken
  bool half_closed_ = false;
};

}  // namespace brood
