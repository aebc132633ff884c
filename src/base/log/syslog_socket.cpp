// SPDX-License-Identifier: MIT
#include "base/log/syslog_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

#include "base/text.hpp"

namespace brood {

// The month's name is not that of the locale.
std::string syslog_header(int priority, const std::tm& local, std::string_view name, pid_t pid) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 16> rest{};
  std::strftime(rest.data(), rest.size(), " %e %H:%M:%S ", &local);
  return text('<', priority, '>', months.at(static_cast<std::size_t>(local.tm_mon)),
              std::string_view(rest.data()), name, '[', pid, "]: ");
}

SyslogSocket::SyslogSocket(std::string path) : path_(std::move(path)) { connect(); }

bool SyslogSocket::connect() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    socket_.reset(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    stream_ = type == SOCK_STREAM;
    if (socket_ && ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return true;
    if (errno != EPROTOTYPE) break;
  }
  socket_.reset();
  return false;
}

bool SyslogSocket::try_send(std::string_view message) {
  const std::string record = stream_ ? std::string(message) + '\0' : std::string();
  const std::string_view whole = stream_ ? record : message;
  ssize_t sent = 0;
  do sent = ::send(socket_.get(), whole.data(), whole.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) return false;
  if (static_cast<std::size_t>(sent) == whole.size()) return true;
  socket_.reset();  // a stream took a part: what follows must not be read as the rest of it
  return false;
}

bool SyslogSocket::send(std::string_view message) {
  if (!socket_) return connect() && try_send(message);
  if (try_send(message)) return true;
  // It does not read, or the message is too long for it.
  if (!socket_ || errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return false;
  return connect() && try_send(message);
}

}  // namespace brood
