// SPDX-License-Identifier: MIT
#include "brood/connection.hpp"

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// A timeout of the socket (SO_RCVTIMEO) is reported as EAGAIN.
int as_timeout(int error_number) { return error_number == EAGAIN ? ETIMEDOUT : error_number; }

}  // namespace

// What was written and the peer has not taken yet, in order.
struct Connection::Output {
  struct Piece {
    std::string data;
    Descriptor file;  // if there is one, `size` bytes of it from `offset` on; else `data` from `offset` on
    std::uint64_t offset = 0, size = 0;
  };
  std::deque<Piece> pieces;
};

Connection::Connection(Descriptor socket, const Origin& origin)
    : socket_(std::move(socket)),
      peer_(origin.peer),
      listener_(origin.listener),
      host_(&origin.host),
      id_(origin.id),
      blocks_(origin.blocks) {}

Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() { close(); }

void Connection::broke(const char* doing, int error_number) {
  all_read_ = error_number != ETIMEDOUT;
  throw SystemError(text(std::string_view(doing), " ", peer()), error_number, ExitCode::software);
}

// For a socket that does not block.
void Connection::wait_for(short event) const {
  const auto timeout = event == POLLIN ? read_timeout_ : write_timeout_;
  pollfd ready{.fd = socket_.get(), .events = event, .revents = 0};
  int number = 0;
  do number = ::poll(&ready, 1, timeout.count() == 0 ? -1 : static_cast<int>(timeout.count()));
  while (number < 0 && errno == EINTR);
  if (number == 0)
    throw SystemError(text(event == POLLIN ? "read from " : "write to ", peer()), ETIMEDOUT,
                      ExitCode::software);
}

// Empty: no input now, or, if the socket blocks, none within the read timeout.
std::optional<std::size_t> Connection::receive(std::span<char> buffer) {
  ssize_t size = 0;
  do size = ::read(socket_.get(), buffer.data(), buffer.size());
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno == EAGAIN) return {};
    broke("read from", errno);
  }
  if (size == 0 && !buffer.empty()) all_read_ = true;
  bytes_.read += static_cast<std::size_t>(size);
  return static_cast<std::size_t>(size);
}

std::size_t Connection::read_socket(std::span<char> buffer) {
  for (;;) {
    if (const auto size = receive(buffer)) return *size;
    if (blocks_) broke("read from", ETIMEDOUT);
    wait_for(POLLIN);
  }
}

std::size_t Connection::read_some(std::span<char> buffer) {
  if (unread_.empty()) return read_socket(buffer);
  const std::size_t size = unread_.copy(buffer.data(), buffer.size());
  unread_.erase(0, size);
  return size;
}

std::optional<std::size_t> Connection::try_receive(std::span<char> buffer) {
  if (input_limit_ == 0) return {};
  if (blocks_ && !readable(socket_.get())) return {};
  const auto size = receive(buffer);
  input_limit_ -= std::min(input_limit_, size.value_or(0));
  return size;
}

std::optional<std::size_t> Connection::try_read(std::span<char> buffer) {
  if (output_) return {};
  return unread_.empty() ? try_receive(buffer) : read_some(buffer);
}

// A line of what was read. `searched`: that many bytes of it contain no end of a line.
std::optional<std::string> Connection::take_line(std::size_t longest, std::size_t& searched) {
  const auto end = unread_.find('\n', searched);
  const bool whole = end != std::string::npos;
  if ((whole ? end : unread_.size()) > longest)
    throw Error(text("a line from ", peer(), " is longer than ", longest, " bytes"));
  searched = unread_.size();
  if (!whole && (!all_read_ || unread_.empty())) return {};
  std::string line = unread_.substr(0, end);
  unread_.erase(0, whole ? end + 1 : end);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

std::optional<std::string> Connection::read_line(std::size_t longest) {
  std::size_t searched = 0;
  for (;;) {
    if (auto line = take_line(longest, searched)) return line;
    if (all_read_) return {};
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    unread_.append(buffer.data(), read_socket(buffer));
  }
}

std::optional<std::string> Connection::try_line(std::size_t longest) {
  if (output_) return {};
  std::size_t searched = 0;
  for (;;) {
    if (auto line = take_line(longest, searched)) return line;
    if (all_read_) return {};
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    const auto size = try_receive(buffer);
    if (!size) return {};
    unread_.append(buffer.data(), *size);
  }
}

// The number of bytes that the socket took; 0: it takes none now.
std::size_t Connection::send_some(std::string_view data, bool more) {
  for (;;) {
    const ssize_t size =
        ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (size >= 0) {
      bytes_.written += static_cast<std::size_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (errno == EAGAIN && !blocks_) return 0;
    if (errno != EINTR) broke("write to", as_timeout(errno));
  }
}

std::size_t Connection::send_some_of(const Descriptor& file, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t most = 1U << 30U;
  for (;;) {
    auto from = static_cast<off_t>(offset);
    const ssize_t sent = ::sendfile(socket_.get(), file.get(), &from, std::min(size, most));
    if (sent > 0) {
      bytes_.written += static_cast<std::size_t>(sent);
      return static_cast<std::size_t>(sent);
    }
    if (sent == 0) throw Error(text("a file that is sent to ", peer(), " has become shorter"));
    if (errno == EAGAIN && !blocks_) return 0;
    if (errno != EINTR) broke("write to", as_timeout(errno));
  }
}

void Connection::write_all(std::string_view data, bool more) {
  while (!data.empty() && !output_) {
    const std::size_t size = send_some(data, more);
    if (size == 0) output_ = std::make_unique<Output>();
    data.remove_prefix(size);
  }
  if (!data.empty()) output_->pieces.push_back({.data = std::string(data)});
}

void Connection::send_file(Descriptor file, std::uint64_t offset, std::uint64_t size) {
  while (size > 0 && !output_) {
    const std::size_t sent = send_some_of(file, offset, size);
    if (sent == 0) output_ = std::make_unique<Output>();
    offset += sent;
    size -= sent;
  }
  if (size > 0) output_->pieces.push_back({.file = std::move(file), .offset = offset, .size = size});
}

bool Connection::flush() {
  while (output_ && !output_->pieces.empty()) {
    auto& piece = output_->pieces.front();
    const std::size_t sent = piece.file ? send_some_of(piece.file, piece.offset, piece.size)
                                        : send_some(std::string_view(piece.data).substr(piece.offset), false);
    if (sent == 0) return false;
    piece.offset += sent;
    if (piece.file) piece.size -= sent;
    if (piece.file ? piece.size == 0 : piece.offset == piece.data.size()) output_->pieces.pop_front();
  }
  output_.reset();
  return true;
}

void Connection::set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write) {
  read_timeout_ = read;
  write_timeout_ = write;
  if (!blocks_) return;
  const auto set = [this](int option, std::chrono::milliseconds timeout) {
    const timeval value{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
    if (::setsockopt(socket_.get(), SOL_SOCKET, option, &value, sizeof value) != 0)
      throw SystemError("set the timeouts of " + peer(), errno, ExitCode::software);
  };
  set(SO_RCVTIMEO, read);
  set(SO_SNDTIMEO, write);
}

std::string Connection::peer() const { return to_text(peer_); }

std::string Connection::local() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the local address of " + peer(), errno, ExitCode::software);
  return to_text(address);
}

void Connection::add_bytes(std::uint64_t bytes_read, std::uint64_t bytes_written) {
  bytes_.read += bytes_read;
  bytes_.written += bytes_written;
}

bool Connection::half_close() {
  if (!socket_ || all_read_ || half_closed_) return false;
  half_closed_ = true;              // before the check: close() must not wait for input that comes after it
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  if (::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT) <= 0) return false;
  ::shutdown(socket_.get(), SHUT_WR);
  return true;
}

bool Connection::drop_input() {
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  ssize_t size = 0;
  // Not more at once: a peer that sends without end must not keep an event loop to itself.
  for (int i = 0; i < 16; ++i) {
    size = ::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
    if (size <= 0) break;
  }
  all_read_ = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  return all_read_;
}

void Connection::close() {
  if (!socket_) return;
  if (half_close() && blocks_) {
    const Time until = Clock::now() + linger_time;
    while (!drop_input()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      pollfd input{.fd = socket_.get(), .events = POLLIN, .revents = 0};
      if (left <= 0 || ::poll(&input, 1, static_cast<int>(left)) <= 0) break;
    }
  }
  socket_.reset();
}

}  // namespace brood
