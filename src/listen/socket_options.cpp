// SPDX-License-Identifier: MIT
#include "listen/socket_options.hpp"

#include <net/if.h>
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

// Other programs may receive the same group: each gets a copy.
void join_group(const Descriptor& socket, const SocketAddress& address, const ListenSpec& spec,
                const std::string& what) {
  const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address.storage);
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
  const bool is_ipv4 = address.storage.ss_family == AF_INET;
  const bool is_group =
      is_ipv4 ? IN_MULTICAST(ntohl(ipv4.sin_addr.s_addr)) : IN6_IS_ADDR_MULTICAST(&ipv6.sin6_addr);
  if (!is_group && !spec.interface.empty())
    throw ConfigurationError(text("listen = ", spec.written, ": ", what,
                                  " is no multicast group, and only those can have an interface"));
  if (!is_group) return;
  unsigned interface = is_ipv4 ? 0 : ipv6.sin6_scope_id;
  if (!spec.interface.empty()) {
    interface = ::if_nametoindex(spec.interface.c_str());
    if (interface == 0) throw SystemError("find interface " + spec.interface, errno, ExitCode::configuration);
  }
  set(socket, SOL_SOCKET, SO_REUSEADDR, 1, what);
  const ip_mreqn of_ipv4{
      .imr_multiaddr = ipv4.sin_addr, .imr_address = {}, .imr_ifindex = static_cast<int>(interface)};
  const ipv6_mreq of_ipv6{.ipv6mr_multiaddr = ipv6.sin6_addr, .ipv6mr_interface = interface};
  const int joined =
      is_ipv4 ? ::setsockopt(socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &of_ipv4, sizeof of_ipv4)
              : ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &of_ipv6, sizeof of_ipv6);
  if (joined != 0) throw SystemError("join the group of " + what, errno);
}

void warn_of_short_queue(int backlog, const std::string& what) {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  int most = 0;
  if (!(file >> most) || most >= backlog) return;
  log_warning(text("listen on ", what, ": the kernel lets ", most,
                   " connections wait, fewer than listen-backlog = ", backlog, ": raise net.core.somaxconn"));
}

}  // namespace brood
