// SPDX-License-Identifier: MIT
#include "pool/read_with_sender.hpp"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace brood {

std::optional<SentText> read_with_sender(const Descriptor& socket, std::size_t most) {
  SentText sent{.sender = 0, .text = std::string(most, '\0')};
  iovec content{.iov_base = sent.text.data(), .iov_len = most};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};  // no room for descriptors
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return {};
  sent.text.resize(static_cast<std::size_t>(size));
  ucred sender{};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header))
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
      std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  sent.sender = sender.pid;
  return sent;
}

}  // namespace brood
