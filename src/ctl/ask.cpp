// SPDX-License-Identifier: MIT
#include "ask.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "locate.hpp"

namespace brood::ctl {
namespace {

Failure failure(const std::string& path, int error_number) {
  const std::string why = path + ": " + std::strerror(error_number);
  if (error_number == EACCES || error_number == EPERM)
    return {why + "; a server takes orders only from root and from its own user", outcome::not_permitted};
  return {"no server takes orders at " + why, outcome::unavailable};
}

Descriptor connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw failure(path, ENAMETOOLONG);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // A parent that is stopped does not empty its queue.
  const timeval longest_wait{.tv_sec = 5, .tv_usec = 0};
  if (!socket ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw failure(path, errno);
  return socket;
}

// The process that listens there. None: it is not visible, for example from another pid namespace.
Descriptor process_behind(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return {};
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

bool is_running(const Descriptor& process) {
  pollfd ends{.fd = process.get(), .events = POLLIN, .revents = 0};
  return process && ::poll(&ends, 1, 0) == 0;
}

std::string read_all(const Descriptor& socket) {
  std::string all;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) all.append(buffer.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) return all;
  }
}

}  // namespace

std::vector<WireRecord> ask(const std::string& path, const WireRecord& request, bool until_exit) {
  const Descriptor socket = connect(path);
  const Descriptor process = process_behind(socket);
  // If this fails, the server has refused the request before it read it; the answer says why.
  const std::string line = request.line() + '\n';
  [[maybe_unused]] const auto sent = ::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL);
  std::vector<WireRecord> answer;
  const std::string said = read_all(socket);
  for (std::size_t at = 0; at < said.size();) {
    const auto end = said.find('\n', at);
    if (end == std::string::npos) break;
    try {
      answer.push_back(WireRecord::parse(std::string_view(said).substr(at, end - at)));
    } catch (const Error& error) {
      throw Failure(std::string("the answer can't be read: ") + error.what(), outcome::unavailable);
    }
    at = end + 1;
  }
  if (answer.empty() || answer.back().kind() != "done")
    throw Failure(is_running(process) ? "the server was upgraded before the outcome was known; ask again"
                                      : "the server ended before the outcome was known; see its log",
                  outcome::unavailable);
  pollfd ends{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (until_exit && process && answer.back()["code"] == "0")
    while (::poll(&ends, 1, -1) < 0 && errno == EINTR) {
    }
  return answer;
}

}  // namespace brood::ctl
