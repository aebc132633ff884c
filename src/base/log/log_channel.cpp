// SPDX-License-Identifier: MIT
#include "base/log/log_channel.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstring>
#include <utility>

namespace brood {
namespace {

// A message of one byte, with room for a descriptor.
struct Message {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
};

}  // namespace

LogChannel LogChannel::make() {
  std::array<int, 2> ends{-1, -1};
  LogChannel channel;
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) return channel;
  channel.sender_.reset(ends[0]);
  channel.receiver_.reset(ends[1]);
  ::shutdown(channel.receiver_.get(), SHUT_WR);  // children write nothing to the parent
  return channel;
}

void LogChannel::offer(int descriptor) {
  if (!sender_) return;
  char byte = 0;
  while (::recv(receiver_.get(), &byte, 1, MSG_DONTWAIT) >= 0) {
  }
  Message message;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  ::sendmsg(sender_.get(), &message.header, MSG_DONTWAIT | MSG_NOSIGNAL);  // else children open the path
}

Descriptor LogChannel::take() const {
  if (!receiver_) return {};
  Message message;
  if (::recvmsg(receiver_.get(), &message.header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return {};
  const cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
  return Descriptor(descriptor);
}

}  // namespace brood
