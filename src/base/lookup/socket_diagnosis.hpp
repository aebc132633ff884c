// SPDX-License-Identifier: MIT
// Asks the kernel about sockets of any process, by sock_diag(7). It answers at once: nothing waits.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "brood/descriptor.hpp"

namespace brood {

// Calls take(nlmsghdr) for each socket that fits. `flags`: NLM_F_DUMP for all of them, 0 for one. False:
// there is no answer, or it is not whole.
template <typename Request, typename Take>
bool ask_of_sockets(const Request& request, unsigned flags, const Take& take) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket) return false;
  struct {
    nlmsghdr header;
    Request request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  question.request = request;
  if (::send(socket.get(), &question, sizeof question, 0) < 0) return false;
  alignas(nlmsghdr) std::array<std::byte, 32768> answer;  // NOLINT(*-member-init): filled by recv
  for (;;) {
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    if (size <= 0) return false;
    auto left = static_cast<unsigned>(size);
    const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
    // NOLINTNEXTLINE(readability-simplify-boolean-expr): the macro is one
    for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) return true;
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
      take(*header);
    }
    if ((flags & NLM_F_DUMP) == 0) return true;
  }
}

// The accept queue of a unix listener, if it was asked for with UDIAG_SHOW_RQLEN.
inline std::optional<unsigned> queue_of_unix_socket(const nlmsghdr& header) {
  const auto* socket = static_cast<const unix_diag_msg*>(NLMSG_DATA(&header));
  auto left = static_cast<int>(header.nlmsg_len - NLMSG_LENGTH(sizeof *socket));
  for (const auto* attribute = reinterpret_cast<const rtattr*>(socket + 1); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
    unix_diag_rqlen queue{};
    std::memcpy(&queue, RTA_DATA(attribute), sizeof queue);
    return queue.udiag_rqueue;
  }
  return {};
}

}  // namespace brood
