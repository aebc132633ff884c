// SPDX-License-Identifier: MIT
#include "base/sandbox/sandbox_channel.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "brood/error.hpp"

namespace brood {

SandboxChannel SandboxChannel::make() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw SystemError("open a socket for the sandboxes of children", errno);
  SandboxChannel channel{Descriptor(ends[0]), Descriptor(ends[1])};
  constexpr int on = 1;
  if (::setsockopt(channel.receiver.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    throw SystemError("set up a socket for the sandboxes of children", errno);
  return channel;
}

void send_listener(const Descriptor& sender, const Descriptor& listener, bool forbids) {
  char content = forbids ? 'f' : 'r';
  iovec data{.iov_base = &content, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = listener.get();
  std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  while (::sendmsg(sender.get(), &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) throw SystemError("tell the parent of a sandbox", errno);
}

std::optional<SentListener> receive_listener(const Descriptor& receiver) {
  SentListener sent;
  char content = '\0';
  iovec data{.iov_base = &content, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(receiver.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0) return {};
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
      sent.child = credentials.pid;
    }
    if (part->cmsg_type == SCM_RIGHTS) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
      sent.listener.reset(descriptor);
    }
  }
  sent.forbids = content != 'r';
  return sent;
}

}  // namespace brood
