// SPDX-License-Identifier: MIT
#include "models/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// How long to wait for the newline of a line, and how often to look for it.
constexpr auto newline_timeout = 100ms;
constexpr auto newline_interval = 5ms;
// To get the lock, which its holder has for three system calls: first without a pause, then with one.
constexpr int tries_without_pause = 50;
constexpr int tries = 100;

// Among processes. Held from construction on, if it is true.
class RecordLock {
 public:
  explicit RecordLock(int file) : file_(file) {
    for (int i = 0; i < tries && !held_; ++i) {
      held_ = set(F_WRLCK);
      if (held_) return;
      if (i < tries_without_pause)
        ::sched_yield();
      else
        ::poll(nullptr, 0, 1);
    }
  }
  ~RecordLock() {
    const int error_number = errno;
    if (held_) set(F_UNLCK);
    errno = error_number;
  }
  RecordLock(const RecordLock&) = delete;
  RecordLock& operator=(const RecordLock&) = delete;
  explicit operator bool() const { return held_; }

 private:
  bool set(short type) const {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;
    return ::fcntl(file_, F_SETLK, &lock) == 0;
  }

  const int file_;
  bool held_ = false;
};

}  // namespace

LineReader::LineReader() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw SystemError("pipe2", errno);
  out_.reset(ends[0]);
  in_.reset(ends[1]);
}

// How much of that was there.
std::size_t LineReader::read_pipe(std::size_t size) {
  const ssize_t got = ::read(out_.get(), line_.data(), size);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

// The length of the first line; 0: there is none, or (errno is 0 then) only a part of one. `incomplete`: a
// part will do.
std::size_t LineReader::measure(int fifo, bool incomplete) {
  errno = EAGAIN;
  if (::tee(fifo, in_.get(), line_.size(), SPLICE_F_NONBLOCK) <= 0) return 0;
  const std::size_t size = read_pipe(line_.size());
  if (size == 0) return 0;
  const auto* const end = line_.begin() + size;
  const auto* const newline = std::find(line_.cbegin(), end, '\n');
  if (newline != end) return static_cast<std::size_t>(newline - line_.cbegin()) + 1;
  errno = 0;
  return incomplete || size == line_.size() ? size : 0;
}

std::optional<std::string_view> LineReader::read_measured(int fifo, bool incomplete) {
  const RecordLock lock(fifo);
  if (!lock) {
    errno = EINTR;
    return {};
  }
  const std::size_t size = measure(fifo, incomplete);
  if (size == 0) return {};
  // The pipe is empty, and has room for what it has just held.
  const ssize_t taken = ::splice(fifo, nullptr, in_.get(), nullptr, size, SPLICE_F_NONBLOCK);
  if (taken <= 0) return {};
  return std::string_view(line_.data(), read_pipe(static_cast<std::size_t>(taken)));
}

std::optional<std::string_view> LineReader::read(int fifo) {
  auto line = read_measured(fifo, false);
  if (line || errno != 0) return line;
  const Time until = Clock::now() + newline_timeout;
  while (!line && errno == 0) {
    ::poll(nullptr, 0, static_cast<int>(std::chrono::milliseconds(newline_interval).count()));
    line = read_measured(fifo, Clock::now() >= until);
  }
  return line;
}

}  // namespace brood
