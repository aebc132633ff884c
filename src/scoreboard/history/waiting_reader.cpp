// SPDX-License-Identifier: MIT
// How many connections wait in the queues of listeners that belong to other processes: sock_diag(7) tells it
// of each socket, by the number of its inode.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <span>
#include <unordered_map>

#include "brood/descriptor.hpp"
#include "brood/snapshot.hpp"

namespace brood {
namespace {

using Queues = std::unordered_map<std::uint64_t, std::uint32_t>;  // by inode
using Message = std::function<void(const nlmsghdr&)>;

// net/core/sock_diag.h: a socket that listens has this state, whatever its family.
constexpr std::uint32_t listening = 1U << TCP_LISTEN;

// False: there is no answer, or it is not whole.
template <typename Request>
bool ask(const Request& request, const Message& take) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) return false;
  struct {
    nlmsghdr header;
    Request request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request = request;
  if (::send(socket.get(), &question, sizeof question, 0) < 0) return false;
  alignas(nlmsghdr) std::array<char, 32768> answer{};
  for (;;) {
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), 0);
    if (size <= 0) return false;
    auto left = static_cast<unsigned>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    // NOLINTNEXTLINE(readability-simplify-boolean-expr): the macro is one
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return true;
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
      take(*header);
    }
  }
}

bool read_internet(std::uint8_t family, Queues& queues) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = listening;
  return ask(request, [&queues](const nlmsghdr& header) {
    const auto& socket = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
    queues[socket.idiag_inode] = socket.idiag_rqueue;
  });
}

bool read_unix(Queues& queues) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = listening;
  request.udiag_show = UDIAG_SHOW_RQLEN;
  return ask(request, [&queues](const nlmsghdr& header) {
    const auto* socket = static_cast<const unix_diag_msg*>(NLMSG_DATA(&header));
    auto left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(sizeof *socket));
    for (const auto* attribute = reinterpret_cast<const rtattr*>(socket + 1); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
      if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
      unix_diag_rqlen queue{};
      std::memcpy(&queue, RTA_DATA(attribute), sizeof queue);
      queues[socket->udiag_ino] = queue.udiag_rqueue;
    }
  });
}

}  // namespace

bool read_waiting(Snapshot& snapshot) {
  Queues queues;
  if (!read_internet(AF_INET, queues) || !read_internet(AF_INET6, queues)) return false;
  read_unix(queues);  // the kernel may lack it
  bool found = false;
  for (auto& service : snapshot.services) {
    std::uint32_t waiting = 0;
    bool its_own = false;
    for (const std::uint64_t inode : service.listener_inodes) {
      const auto queue = queues.find(inode);
      if (queue == queues.end()) continue;
      its_own = true;
      waiting += queue->second;
    }
    if (!its_own) continue;
    found = true;
    service.waiting = waiting;
    service.most_waiting = std::max(service.most_waiting, waiting);
  }
  return found;
}

}  // namespace brood
