// SPDX-License-Identifier: MIT
#include "listen/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <fstream>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

void set(const Descriptor& socket, int level, int option, int value, const std::string& what) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof value) != 0)
    throw SystemError("set options of " + what, errno);
}

void set_timeout(const Descriptor& socket, int option, milliseconds time, const std::string& what) {
  const timeval value{.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
  if (::setsockopt(socket.get(), SOL_SOCKET, option, &value, sizeof value) != 0)
    throw SystemError("set the timeouts of " + what, errno);
}

// What a new socket has.
int default_of(int option) {
  const Descriptor fresh(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int value = 0;
  socklen_t size = sizeof value;
  ::getsockopt(fresh.get(), IPPROTO_TCP, option, &value, &size);
  return value;
}

int in_seconds(milliseconds time) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(time).count());
}

bool is_tcp(const Descriptor& socket) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

}  // namespace

void set_socket_options(const Descriptor& listener, const SocketOptions& wanted, const std::string& what) {
  if (!is_tcp(listener)) return;
  const auto set_tcp = [&](int option, int value) { set(listener, IPPROTO_TCP, option, value, what); };
  const auto or_default = [](int value, int option) { return value != 0 ? value : default_of(option); };
  set(listener, SOL_SOCKET, SO_KEEPALIVE, wanted.keepalive.idle.count() != 0 ? 1 : 0, what);
  set_tcp(TCP_KEEPIDLE, or_default(in_seconds(wanted.keepalive.idle), TCP_KEEPIDLE));
  set_tcp(TCP_KEEPINTVL, or_default(in_seconds(wanted.keepalive.interval), TCP_KEEPINTVL));
  set_tcp(TCP_KEEPCNT, or_default(static_cast<int>(wanted.keepalive.count), TCP_KEEPCNT));
  set_tcp(TCP_USER_TIMEOUT, static_cast<int>(wanted.user_timeout.count()));
  set_tcp(TCP_DEFER_ACCEPT, in_seconds(wanted.defer_accept));
  set_timeout(listener, SO_RCVTIMEO, wanted.read_timeout, what);
  set_timeout(listener, SO_SNDTIMEO, wanted.write_timeout, what);
}

void set_freebind(const Descriptor& socket, int family, const std::string& what) {
  if (family == AF_INET6)
    set(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1, what);
  else
    set(socket, IPPROTO_IP, IP_FREEBIND, 1, what);
}

void warn_of_short_queue(int backlog, const std::string& what) {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  int most = 0;
  if (!(file >> most) || most >= backlog) return;
  log_warning(text("listen on ", what, ": the kernel lets ", most, " connections wait, fewer than ",
                   "listen-backlog = ", backlog, ": raise net.core.somaxconn"));
}

}  // namespace brood
