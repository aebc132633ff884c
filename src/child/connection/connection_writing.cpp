// SPDX-License-Identifier: MIT
// Writing to a connection.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/connection/connection_output.hpp"

namespace brood {
namespace {

// While it lives, a socket does not block: sendfile(2) has no flag for that.
class NonBlocking {
 public:
  NonBlocking(int socket, bool wanted) : socket_(wanted ? socket : -1) { set(1); }
  ~NonBlocking() { set(0); }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  void set(int on) const {
    if (socket_ >= 0) ::ioctl(socket_, FIONBIO, &on);
  }
  int socket_;
};

}  // namespace

// After send() or sendfile() has failed. True: try again.
bool Connection::may_send_again() {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) broke("write to", errno);
  if (!blocks_) return false;
  if (wait_flag() == 0) timed_out("write to", "");
  wait_for(POLLOUT);
  return true;
}

// The number of bytes that the socket took; 0: it takes none now.
[[gnu::hot]] std::size_t Connection::send_some(std::string_view data, bool more) {
  check_deadline("write to");
  const int flags = MSG_NOSIGNAL | wait_flag() | (more ? MSG_MORE : 0);
  for (;;) {
    const ssize_t size = ::send(socket_.get(), data.data(), data.size(), flags);
    if (size >= 0) {
      bytes_.written += static_cast<std::size_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (!may_send_again()) return 0;
  }
}

std::size_t Connection::send_some_of(const Descriptor& file, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t most = 1U << 30U;
  check_deadline("write to");
  const NonBlocking in_poll(socket_.get(), blocks_ && wait_flag() != 0);
  for (;;) {
    auto from = static_cast<off_t>(offset);
    const ssize_t sent = ::sendfile(socket_.get(), file.get(), &from, std::min(size, most));
    if (sent > 0) {
      bytes_.written += static_cast<std::size_t>(sent);
      return static_cast<std::size_t>(sent);
    }
    if (sent == 0) throw Error(text("a file that is sent to ", peer(), " has become shorter"));
    if (!may_send_again()) return 0;
  }
}

[[gnu::hot]] void Connection::write_all(Bytes data, bool more) {
  check_open();
  while (!data.empty() && !output_) {
    const std::size_t size = send_some(data, more);
    if (size == 0) output_ = std::make_unique<Output>();
    data.remove_prefix(size);
  }
  if (!data.empty()) output_->pieces.push_back({.data = std::string(data)});
}

// The number of bytes that the socket took of the pieces behind the first `offset` bytes of the first one; 0:
// it takes none now.
std::size_t Connection::send_some(std::span<const Bytes> pieces, std::size_t offset) {
  check_deadline("write to");
  std::array<iovec, 64> parts;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled here
  const std::size_t count = std::min(pieces.size(), parts.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = pieces[i].substr(i == 0 ? offset : 0);
    parts.at(i) = {.iov_base = const_cast<char*>(part.data()), .iov_len = part.size()};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  const int flags = MSG_NOSIGNAL | wait_flag() | (count < pieces.size() ? MSG_MORE : 0);
  for (;;) {
    const ssize_t size = ::sendmsg(socket_.get(), &message, flags);
    if (size >= 0) {
      bytes_.written += static_cast<std::size_t>(size);
      return static_cast<std::size_t>(size);
    }
    if (!may_send_again()) return 0;
  }
}

void Connection::write_all(std::span<const Bytes> pieces) {
  check_open();
  auto rest = pieces;
  std::size_t sent = 0;  // of the first of them
  for (;;) {
    for (; !rest.empty() && sent >= rest.front().size(); rest = rest.subspan(1)) sent -= rest.front().size();
    if (rest.empty() || output_) break;
    const std::size_t size = send_some(rest, sent);
    if (size == 0) output_ = std::make_unique<Output>();
    sent += size;
  }
  for (const Bytes& piece : rest) {
    const auto unsent = piece.substr(std::exchange(sent, 0));
    if (!unsent.empty()) output_->pieces.push_back({.data = std::string(unsent)});
  }
}

void Connection::send_file(Descriptor file, std::uint64_t offset, std::uint64_t size) {
  check_open();
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
  const bool ends = output_ && output_->ends;
  output_.reset();
  if (ends) shutdown_write();
  return true;
}

// Of a socket that was shut down the kernel says so itself.
[[gnu::hot]] void Connection::check_open() const {
  if (output_ && output_->ends) throw ConnectionError("write to " + peer(), EPIPE);
}

void Connection::shutdown_write() {
  if (output_)
    output_->ends = true;
  else if (::shutdown(socket_.get(), SHUT_WR) != 0)
    broke("shut down the writing to", errno);
}

}  // namespace brood
