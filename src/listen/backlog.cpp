// SPDX-License-Identifier: MIT
#include "listen/backlog.hpp"

#include <netinet/tcp.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "base/event_descriptor.hpp"
#include "base/lookup/socket_diagnosis.hpp"

namespace brood {
namespace {

// The queue of the unix listener with this inode.
std::optional<unsigned> ask_kernel(ino_t inode) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = UINT32_MAX;
  request.udiag_ino = static_cast<std::uint32_t>(inode);
  request.udiag_show = UDIAG_SHOW_RQLEN;
  request.udiag_cookie[0] = UINT32_MAX;  // any
  request.udiag_cookie[1] = UINT32_MAX;
  std::optional<unsigned> queue;
  ask_of_sockets(request, 0, [&queue](const nlmsghdr& header) { queue = queue_of_unix_socket(header); });
  return queue;
}

}  // namespace

unsigned count_backlog(int listener, WorkKind brings) {
  if (brings == WorkKind::triggers) return readable(listener) ? 1 : 0;
  // poll() would not do: a socket that was shut down is always readable. So peek for a datagram.
  if (brings == WorkKind::datagrams)
    return ::recv(listener, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT) >= 0 ? 1 : 0;
  // On a listening socket tcpi_unacked is the length of its accept queue (net/ipv4/tcp.c, tcp_get_info).
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) return info.tcpi_unacked;
  if (!readable(listener)) return 0;
  struct stat status {};
  if (::fstat(listener, &status) != 0) return 1;
  return ask_kernel(status.st_ino).value_or(1);
}

}  // namespace brood
