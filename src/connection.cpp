// SPDX-License-Identifier: MIT
#include "brood/connection.hpp"

#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "address.hpp"
#include "brood/error.hpp"
#include "clock.hpp"
#include "text.hpp"

namespace brood {
namespace {

constexpr std::chrono::seconds linger_time{2};

// A timeout of the socket shows as EAGAIN; the word for people is another.
int told(int error_number) { return error_number == EAGAIN ? ETIMEDOUT : error_number; }

}  // namespace

Connection::Connection(Descriptor socket, const sockaddr_storage& peer, std::string_view listener,
                       ConnectionKeeper& keeper)
    : socket_(std::move(socket)), peer_(peer), listener_(listener), keeper_(&keeper) {}

std::size_t Connection::read_socket(std::span<char> buffer) {
  ssize_t size = 0;
  do size = ::read(socket_.get(), buffer.data(), buffer.size());
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    const int error_number = told(errno);
    all_read_ = error_number != ETIMEDOUT;
    throw SystemError("read from " + peer(), error_number, ExitCode::software);
  }
  if (size == 0 && !buffer.empty()) all_read_ = true;
  bytes_read_ += static_cast<std::size_t>(size);
  return static_cast<std::size_t>(size);
}

std::size_t Connection::read_some(std::span<char> buffer) {
  if (unread_.empty()) return read_socket(buffer);
  const std::size_t size = unread_.copy(buffer.data(), buffer.size());
  unread_.erase(0, size);
  return size;
}

std::optional<std::string> Connection::read_line(std::size_t longest) {
  std::size_t searched = 0;
  for (;;) {
    const auto end = unread_.find('\n', searched);
    const bool whole = end != std::string::npos;
    if ((whole ? end : unread_.size()) > longest)
      throw Error(text("a line from ", peer(), " is longer than ", longest, " bytes"));
    if (whole || all_read_) {
      if (!whole && unread_.empty()) return {};
      std::string line = unread_.substr(0, end);
      unread_.erase(0, whole ? end + 1 : end);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    searched = unread_.size();
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    unread_.append(buffer.data(), read_socket(buffer));
  }
}

void Connection::write_all(std::string_view data) {
  while (!data.empty()) {
    const ssize_t size = ::write(socket_.get(), data.data(), data.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) {
      const int error_number = told(errno);
      all_read_ = error_number != ETIMEDOUT;
      throw SystemError("write to " + peer(), error_number, ExitCode::software);
    }
    bytes_written_ += static_cast<std::size_t>(size);
    data.remove_prefix(static_cast<std::size_t>(size));
  }
}

void Connection::set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write) {
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

void Connection::count(std::uint64_t bytes_read, std::uint64_t bytes_written) {
  bytes_read_ += bytes_read;
  bytes_written_ += bytes_written;
}

void Connection::close() {
  if (!socket_) return;
  if (!all_read_) linger();
  socket_.reset();
}

void Connection::linger() {
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  ssize_t size = ::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
  if (size <= 0) return;
  ::shutdown(socket_.get(), SHUT_WR);
  const Time until = Clock::now() + linger_time;
  while (size > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd input{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (left <= 0 || ::poll(&input, 1, static_cast<int>(left)) <= 0) return;
    size = ::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
  }
}

}  // namespace brood
