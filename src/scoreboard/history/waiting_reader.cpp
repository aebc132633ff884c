// SPDX-License-Identifier: MIT
// How many connections wait in the queues of listeners that belong to other processes, by the inodes of
// these.
#include <linux/inet_diag.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <unordered_map>

#include "base/lookup/socket_diagnosis.hpp"
#include "brood/snapshot.hpp"

namespace brood {
namespace {

using Queues = std::unordered_map<std::uint64_t, std::uint32_t>;  // by inode

// net/core/sock_diag.h: a socket that listens has this state, whatever its family.
constexpr std::uint32_t listening = 1U << TCP_LISTEN;

bool read_internet(std::uint8_t family, Queues& queues) {
  inet_diag_req_v2 request{};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = listening;
  return ask_of_sockets(request, NLM_F_DUMP, [&queues](const nlmsghdr& header) {
    const auto& socket = *static_cast<const inet_diag_msg*>(NLMSG_DATA(&header));
    queues[socket.idiag_inode] = socket.idiag_rqueue;
  });
}

bool read_unix(Queues& queues) {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = listening;
  request.udiag_show = UDIAG_SHOW_RQLEN;
  return ask_of_sockets(request, NLM_F_DUMP, [&queues](const nlmsghdr& header) {
    const auto* socket = static_cast<const unix_diag_msg*>(NLMSG_DATA(&header));
    if (const auto queue = queue_of_unix_socket(header)) queues[socket->udiag_ino] = *queue;
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
