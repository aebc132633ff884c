// SPDX-License-Identifier: MIT
#include "child/connection/relay.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::size_t most_at_once = 65'536;

}  // namespace

RelayDirection::RelayDirection(int from, int to, std::string head)
    : from_(from), to_(to), head_(std::move(head)) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw SystemError("pipe for a relay", errno);
  out_.reset(ends[0]);
  in_.reset(ends[1]);
}

// After a call has failed. False: when the descriptor is ready.
bool RelayDirection::may_try_again(const char* doing) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) throw ConnectionError(doing, errno);
  return false;
}

bool RelayDirection::step() {
  if (done_) return false;
  if (left() > 0) return give();
  if (!ended_) return take();
  ::shutdown(to_, SHUT_WR);  // fails if it is no socket, or is gone
  done_ = true;
  return true;
}

bool RelayDirection::take() {
  ssize_t size = 0;
  if (!copies_) {
    size = ::splice(from_, nullptr, in_.get(), nullptr, most_at_once, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    copies_ = size < 0 && errno == EINVAL;
    if (size > 0) in_pipe_ = static_cast<std::size_t>(size);
  }
  if (copies_) {
    head_.resize(most_at_once);
    size = ::read(from_, head_.data(), head_.size());
    const int error_number = errno;
    head_.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    errno = error_number;
  }
  if (size < 0) return may_try_again("relay: read");
  ended_ = size == 0;
  was_read_ += static_cast<std::size_t>(size);
  return true;
}

bool RelayDirection::give() {
  ssize_t size = 0;
  if (head_.empty()) {
    size = ::splice(out_.get(), nullptr, to_, nullptr, in_pipe_, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (size < 0 && errno == EINVAL) {
      take_pipe_back();
      return true;
    }
    if (size > 0) in_pipe_ -= static_cast<std::size_t>(size);
  } else {
    size = ::write(to_, head_.data(), head_.size());
    if (size > 0) head_.erase(0, static_cast<std::size_t>(size));
  }
  if (size < 0) return may_try_again("relay: write");
  was_written_ += static_cast<std::size_t>(size);
  return size > 0;
}

void RelayDirection::take_pipe_back() {
  copies_ = true;
  head_.resize(in_pipe_);
  const ssize_t size = ::read(out_.get(), head_.data(), head_.size());
  head_.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  in_pipe_ -= head_.size();
}

// ---- both directions

Relay::Relay(int first, int second, std::string first_head, std::string second_head)
    : first_(first),
      second_(second),
      there_(first, second, std::move(first_head)),
      back_(second, first, std::move(second_head)) {}

bool Relay::step() {
  const bool there = there_.step();
  return back_.step() || there;
}

bool Relay::done() const {
  return (there_.done() && (back_.done() || hung_up_[0])) || (back_.done() && hung_up_[1]);
}

// poll() always reports a descriptor that has hung up, and would not wait.
std::array<pollfd, 2> Relay::waits_for() const {
  const auto end = [](int descriptor, const RelayDirection& from, const RelayDirection& to, bool hung_up) {
    const int events = (from.waits_to_read() ? POLLIN : 0) | (to.waits_to_write() ? POLLOUT : 0);
    return pollfd{
        .fd = hung_up && events == 0 ? -1 : descriptor, .events = static_cast<short>(events), .revents = 0};
  };
  return {end(first_, there_, back_, hung_up_[0]), end(second_, back_, there_, hung_up_[1])};
}

void Relay::see(const std::array<pollfd, 2>& ends) {
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const pollfd& end = ends.at(i);
    if (end.events != 0) continue;  // the next step finds it out
    hung_up_.at(i) = hung_up_.at(i) || (end.revents & POLLHUP) != 0;
    if ((end.revents & POLLERR) == 0) continue;
    int error_number = 0;
    socklen_t size = sizeof error_number;
    ::getsockopt(end.fd, SOL_SOCKET, SO_ERROR, &error_number, &size);
    throw ConnectionError("relay", error_number == 0 ? EPIPE : error_number);
  }
}

}  // namespace brood
