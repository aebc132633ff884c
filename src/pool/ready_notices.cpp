// SPDX-License-Identifier: MIT
#include "pool/ready_notices.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "pool/read_with_sender.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_notice = 4096;
constexpr int most_notices = 16;        // at a time ...
constexpr auto between_notices = 10ms;  // ... and until the next time

// "@NAME": the first byte of an abstract address is 0.
std::string address_of(const Descriptor& socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the address of a socket", errno);
  const std::size_t length = size - offsetof(sockaddr_un, sun_path);
  return length < 2 ? "" : '@' + std::string(address.sun_path + 1, length - 1);
}

bool says_ready(std::string_view text) {
  for (const auto line : split(text, '\n'))
    if (line == "READY=1") return true;
  return false;
}

}  // namespace

void ReadyNotices::open() {
  if (socket_) return;
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  constexpr int on = 1;
  const sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}};
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family) != 0)
    throw SystemError("open a socket on which programs say that they are ready", errno);
  take_over(std::move(socket));
}

void ReadyNotices::take_over(Descriptor socket) {
  address_ = address_of(socket);
  socket_ = std::move(socket);
}

void ReadyNotices::read(const Ready& ready, Time now) {
  int notices = 0;
  for (; notices < most_notices; ++notices) {
    const auto notice = read_with_sender(socket_, longest_notice);
    if (!notice) break;
    if (says_ready(notice->text)) ready(notice->sender);
  }
  paused_ = notices == most_notices;
  read_again_ = now + between_notices;
}

Time ReadyNotices::look(const Ready& ready, Time now) {
  if (paused_ && now >= read_again_) read(ready, now);
  return paused_ ? read_again_ : never;
}

}  // namespace brood
