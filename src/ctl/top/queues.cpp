// SPDX-License-Identifier: MIT
#include "ctl/top/queues.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <string_view>

#include "base/address.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"

namespace brood::ctl {
namespace {

constexpr std::uint32_t listening = 1U << 10U;  // TCP_LISTEN; of unix sockets as well

// Calls `use` with each message of the answer to a request for all sockets of a kind.
template <typename Request>
void ask_kernel(const Descriptor& socket, const Request& request,
                const std::function<void(const nlmsghdr&)>& use) {
  struct {
    nlmsghdr header;
    Request request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request = request;
  if (::send(socket.get(), &question, sizeof question, 0) < 0) return;
  alignas(nlmsghdr) static std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size <= 0) return;
    auto left = static_cast<std::size_t>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) return;
      use(*message);
    }
  }
}

void read_tcp(const Descriptor& socket, sa_family_t family, Queues& queues) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<__u8>(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = listening;
  ask_kernel(socket, request, [&](const nlmsghdr& header) {
    const auto* message = static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
    sockaddr_storage address{};
    if (family == AF_INET) {
      auto* to = reinterpret_cast<sockaddr_in*>(&address);
      to->sin_family = family;
      to->sin_port = message->id.idiag_sport;
      std::memcpy(&to->sin_addr, message->id.idiag_src, sizeof to->sin_addr);
    } else {
      auto* to = reinterpret_cast<sockaddr_in6*>(&address);
      to->sin6_family = family;
      to->sin6_port = message->id.idiag_sport;
      std::memcpy(&to->sin6_addr, message->id.idiag_src, sizeof to->sin6_addr);
    }
    queues[to_text(address)] += message->idiag_rqueue;
  });
}

void read_unix(const Descriptor& socket, Queues& queues) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = listening;
  request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN;
  ask_kernel(socket, request, [&](const nlmsghdr& header) {
    const auto* message = static_cast<const unix_diag_msg*>(NLMSG_DATA(&header));
    auto left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(sizeof *message));
    std::string name;
    unix_diag_rqlen queue{};
    for (const auto* attribute = reinterpret_cast<const rtattr*>(message + 1); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
      const auto* data = static_cast<const char*>(RTA_DATA(attribute));
      if (attribute->rta_type == UNIX_DIAG_NAME) name.assign(data, RTA_PAYLOAD(attribute));
      if (attribute->rta_type == UNIX_DIAG_RQLEN && RTA_PAYLOAD(attribute) >= sizeof queue)
        std::memcpy(&queue, data, sizeof queue);
    }
    name.resize(std::min(name.size(), name.find('\0')));
    if (!name.empty()) queues["unix:" + name] += queue.udiag_rqueue;
  });
}

}  // namespace

Queues read_queues() {
  Queues queues;
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) return queues;
  const timeval longest_wait{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &longest_wait, sizeof longest_wait);
  read_tcp(socket, AF_INET, queues);
  read_tcp(socket, AF_INET6, queues);
  read_unix(socket, queues);
  return queues;
}

std::optional<unsigned> waiting_at(const std::string& listeners, const Queues& queues) {
  std::optional<unsigned> sum;
  for (const auto listener : split(listeners, ' '))
    if (const auto found = queues.find(std::string(listener)); found != queues.end())
      sum = sum.value_or(0) + found->second;
  return sum;
}

}  // namespace brood::ctl
