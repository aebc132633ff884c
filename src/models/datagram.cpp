// SPDX-License-Identifier: MIT
// The child model for datagrams: children compete in recvmsg().
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <vector>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/event_descriptor.hpp"
#include "base/text.hpp"
#include "brood/datagram_server.hpp"
#include "brood/error.hpp"
#include "models/receive_loop.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto reply_timeout = 1s;

template <typename Address>
Address& as(sockaddr_storage& address) {
  static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
  return reinterpret_cast<Address&>(address);
}

// Room for a datagram's addresses beside those that msghdr has, as the kernel reports them or is given them.
struct Control {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> bytes{};
};

template <typename Info>
void add_control(msghdr& message, Control& control, int level, int type, const Info& info) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

// The parent has closed the socket for reading: an empty result of it is no datagram.
bool closed_for_reading(int socket) { return (events_now(socket, POLLRDHUP) & POLLRDHUP) != 0; }

}  // namespace

class DatagramReceiver final : public Receiver {
 public:
  bool try_receive(const Source& source, sockaddr_storage& peer) override {
    datagram_ = Datagram();
    datagram_.socket_ = answering_socket(source.descriptor);
    datagram_.listener_ = source.listener;
    iovec room{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
    Control control;
    msghdr message{};
    message.msg_name = &datagram_.peer_;
    message.msg_namelen = sizeof datagram_.peer_;
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t size = ::recvmsg(source.descriptor, &message, MSG_TRUNC);  // returns the whole size
    const bool nothing = size < 0 ? errno == EAGAIN : size == 0 && message.msg_namelen == 0;
    if (nothing && closed_for_reading(source.descriptor)) {
      errno = EINVAL;
      return false;
    }
    if (size < 0) return false;
    size_ = static_cast<std::size_t>(size);
    datagram_.data_ = std::string_view(buffer_.data(), std::min(size_, buffer_.size()));
    datagram_.peer_size_ = message.msg_namelen;
    if (datagram_.peer_size_ == 0) datagram_.peer_.ss_family = AF_UNIX;  // a client without a name
    read_destination(message);
    peer = datagram_.peer_;
    return true;
  }

  Datagram& work(Child& child, ConnectionId id) {
    if (size_ > Datagram::largest)
      throw Error(text("it has ", size_, " bytes, more than the ", Datagram::largest, " that are accepted"));
    datagram_.child_ = &child;
    datagram_.id_ = id;
    return datagram_;
  }
  std::string name() const { return "datagram from " + datagram_.peer(); }
  std::uint64_t bytes_read() const { return size_; }
  std::uint64_t bytes_written() const { return datagram_.bytes_written_; }

 private:
  // An order to leave puts a dead descriptor in the listener's place, and the last datagram is answered then.
  int answering_socket(int listener) {
    Descriptor& socket = sockets_[listener];
    if (!socket) socket.reset(::fcntl(listener, F_DUPFD_CLOEXEC, 0));
    if (!socket) throw SystemError("duplicate a listener", errno);
    return socket.get();
  }

  void read_destination(msghdr& message) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        datagram_.destination_.ss_family = AF_INET;
        // Not ipi_addr, the destination in the header: a multicast address can't be a source.
        as<sockaddr_in>(datagram_.destination_).sin_addr = info.ipi_spec_dst;
      } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return;
        datagram_.destination_.ss_family = AF_INET6;
        as<sockaddr_in6>(datagram_.destination_).sin6_addr = info.ipi6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) datagram_.interface_ = info.ipi6_ifindex;
      }
    }
  }

  Datagram datagram_;
  std::map<int, Descriptor> sockets_;
  std::vector<char> buffer_ = std::vector<char>(Datagram::largest);
  std::size_t size_ = 0;
};

std::string Datagram::peer() const { return to_text(peer_); }

std::string Datagram::local() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the local address of " + peer(), errno, ExitCode::software);
  sockaddr_storage destination = destination_;
  if (destination.ss_family == AF_INET)
    as<sockaddr_in>(address).sin_addr = as<sockaddr_in>(destination).sin_addr;
  if (destination.ss_family == AF_INET6)
    as<sockaddr_in6>(address).sin6_addr = as<sockaddr_in6>(destination).sin6_addr;
  return to_text(address);
}

void Datagram::reply(std::string_view data) {
  iovec content{.iov_base = const_cast<char*>(data.data()), .iov_len = data.size()};
  Control control;
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (peer_size_ > sizeof(sa_family_t)) {  // it has a name
    message.msg_name = &peer_;
    message.msg_namelen = peer_size_;
  }
  if (destination_.ss_family == AF_INET)
    add_control(
        message, control, IPPROTO_IP, IP_PKTINFO,
        in_pktinfo{.ipi_ifindex = 0, .ipi_spec_dst = as<sockaddr_in>(destination_).sin_addr, .ipi_addr = {}});
  if (destination_.ss_family == AF_INET6)
    add_control(
        message, control, IPPROTO_IPV6, IPV6_PKTINFO,
        in6_pktinfo{.ipi6_addr = as<sockaddr_in6>(destination_).sin6_addr, .ipi6_ifindex = interface_});
  // No descriptor becomes ready when a unix peer has room again.
  const Time until = Clock::now() + reply_timeout;
  for (auto pause = 1ms;; pause = std::min(2 * pause, 50ms)) {
    if (::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) break;
    if (errno == EINTR) continue;
    const std::string what = "reply to " + peer();
    if (errno == EMSGSIZE) throw SystemError(what, errno, ExitCode::software);
    if (errno != EAGAIN && errno != ENOBUFS) throw ConnectionError(what, errno);
    if (Clock::now() >= until) throw TimeoutError(what);
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  bytes_written_ += data.size();
}

void DatagramServer::serve(Child& child) {
  DatagramReceiver receiver;
  receive_loop(child, receiver, [this](Datagram& datagram) { handle_datagram(datagram); });
}

}  // namespace brood
