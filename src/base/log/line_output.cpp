// SPDX-License-Identifier: MIT
#include "base/log/line_output.hpp"

#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/text.hpp"

namespace brood {
namespace {

Descriptor open_for_lines(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

// Another user's terminal may be opened by this name, if it controls this process.
Descriptor open_terminal(int descriptor) {
  unsigned wanted = 0;
  unsigned opened = 0;
  Descriptor terminal = open_for_lines(_PATH_TTY);
  const bool same = ::ioctl(descriptor, TIOCGDEV, &wanted) == 0 &&
                    ::ioctl(terminal.get(), TIOCGDEV, &opened) == 0 && wanted == opened;
  return same ? std::move(terminal) : Descriptor();
}

}  // namespace

LineOutput::LineOutput(int descriptor) : descriptor_(descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return;
  file_ = FileIdentity::of(status);
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
  if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
  kind_ = Kind::stream;
  // Not possible for another user's, or without /proc.
  own_ = open_for_lines(text("/proc/self/fd/", descriptor));
  if (!own_ && S_ISCHR(status.st_mode)) own_ = open_terminal(descriptor);
}

bool LineOutput::outdated() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 && FileIdentity::of(status) != file_;
}

ssize_t LineOutput::try_write(std::string_view data) const {
  if (kind_ == Kind::file) return ::write(descriptor_, data.data(), data.size());
  if (kind_ == Kind::socket)
    return ::send(descriptor_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (own_) return ::write(own_.get(), data.data(), data.size());
  const iovec whole{.iov_base = const_cast<char*>(data.data()), .iov_len = data.size()};
  const ssize_t size = ::pwritev2(descriptor_, &whole, 1, -1, RWF_NOWAIT);
  if (size >= 0 || errno != EOPNOTSUPP) return size;
  // A pipe of an older kernel: it has room for PIPE_BUF bytes if it has room at all, and this waits only if
  // another process fills it between the two calls. Or a terminal: a write of a whole line may wait.
  pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, 0) == 1)
    return ::write(descriptor_, data.data(), std::min<std::size_t>(data.size(), PIPE_BUF));
  errno = EAGAIN;
  return -1;
}

std::size_t LineOutput::write(std::string_view line) const {
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t size = try_write(left);
    if (size > 0) left.remove_prefix(static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) break;
  }
  return line.size() - left.size();
}

}  // namespace brood
