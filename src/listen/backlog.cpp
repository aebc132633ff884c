// SPDX-License-Identifier: MIT
#include "listen/backlog.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "base/event_descriptor.hpp"
#include "brood/descriptor.hpp"

namespace brood {
namespace {

std::optional<unsigned> attribute_of(std::span<const std::byte> answer) {
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  // NOLINTNEXTLINE(readability-simplify-boolean-expr): the macro is one
  if (!NLMSG_OK(header, answer.size()) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return {};
  const auto* message = static_cast<const unix_diag_msg*>(NLMSG_DATA(header));
  auto left = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  for (const auto* attribute = reinterpret_cast<const rtattr*>(message + 1); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
    unix_diag_rqlen queue{};
    std::memcpy(&queue, RTA_DATA(attribute), sizeof queue);
    return queue.udiag_rqueue;
  }
  return {};
}

// sock_diag(7): the queue of the unix listener with this inode.
std::optional<unsigned> ask_kernel(ino_t inode) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) return {};
  struct {
    nlmsghdr header;
    unix_diag_req request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_UNIX;
  question.request.udiag_states = UINT32_MAX;
  question.request.udiag_ino = static_cast<std::uint32_t>(inode);
  question.request.udiag_show = UDIAG_SHOW_RQLEN;
  question.request.udiag_cookie[0] = UINT32_MAX;  // any
  question.request.udiag_cookie[1] = UINT32_MAX;
  if (::send(socket.get(), &question, sizeof question, 0) < 0) return {};
  alignas(nlmsghdr) std::array<std::byte, 1024> answer{};
  const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (size <= 0) return {};
  return attribute_of(std::span(answer).first(static_cast<std::size_t>(size)));
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
