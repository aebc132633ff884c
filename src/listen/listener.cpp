// SPDX-License-Identifier: MIT
#include "listen/listener.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "listen/backlog.hpp"
#include "listen/fifo.hpp"
#include "listen/inherited.hpp"
#include "listen/listen_socket.hpp"
#include "listen/socket_options.hpp"
#include "listen/timer.hpp"

namespace brood {
namespace {

sockaddr_storage local_address(int socket, const std::string& what) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the address of " + what, errno);
  return address;
}

// For this many datagrams of 1 KiB, or as many as the kernel permits.
void make_room(const Descriptor& socket, int backlog) {
  const int size = backlog * 1024;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    // Any size is accepted, and cut to what is permitted.
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

Descriptor bind_unix(const ListenSpec& spec) {
  const SocketAddress address = resolve(spec).front();
  remove_stale_socket(spec.path, spec.kind == ListenSpec::Kind::unix_datagram ? SOCK_DGRAM : SOCK_STREAM);
  Descriptor socket = new_socket(AF_UNIX, spec, spec.written);
  const mode_t mask = ::umask(0177);  // no other user can connect before mode and owner are set
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  const int error_number = errno;
  ::umask(mask);
  if (bound != 0) throw SystemError("bind to " + spec.written, error_number);
  return socket;
}

void start_listening(const Descriptor& socket, int backlog, const std::string& what) {
  if (::listen(socket.get(), backlog) != 0) throw SystemError("listen on " + what, errno);
  warn_of_short_queue(backlog, what);
}

int option_of(int socket, int option, const std::string& what) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, option, &value, &size) != 0)
    throw SystemError("inherit " + what, errno, ExitCode::configuration);
  return value;
}

Descriptor adopt(int descriptor, const std::string& what) {
  if (option_of(descriptor, SO_TYPE, what) != SOCK_DGRAM && option_of(descriptor, SO_ACCEPTCONN, what) == 0)
    throw ConfigurationError("inherit " + what + ": the descriptor is not a listening socket");
  // Programs that handlers start must not inherit it.
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) throw SystemError("inherit " + what, errno);
  return take_inherited(descriptor);
}

WorkKind brought_by(const Descriptor& listener, const ListenSpec& spec) {
  if (const auto brings = spec.brings()) return *brings;
  return option_of(listener.get(), SO_TYPE, spec.written) == SOCK_DGRAM ? WorkKind::datagrams
                                                                        : WorkKind::connections;
}

// Accepted sockets inherit it. With Nagle's algorithm an answer in two writes waits until the peer has
// acknowledged the first one, which it delays by 40 ms.
void set_nagle(const Descriptor& listener, bool wanted, const std::string& what) {
  if (option_of(listener.get(), SO_PROTOCOL, what) == IPPROTO_TCP)
    set_option(listener, IPPROTO_TCP, TCP_NODELAY, what, wanted ? 0 : 1);
}

// If the socket is bound to all addresses, each datagram then has its destination address, so that the answer
// can be sent from it.
void report_destinations(const Descriptor& socket, const std::string& what) {
  const sockaddr_storage bound = local_address(socket.get(), what);
  if (bound.ss_family == AF_INET && reinterpret_cast<const sockaddr_in&>(bound).sin_addr.s_addr == INADDR_ANY)
    set_option(socket, IPPROTO_IP, IP_PKTINFO, what);
  if (bound.ss_family == AF_INET6 &&
      IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6&>(bound).sin6_addr))
    set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, what);
}

// For people, and in a form that parse_listen() reads.
std::string address_of(const Descriptor& listener, const ListenSpec& spec, WorkKind brings) {
  if (brings == WorkKind::triggers) return std::string(trim(split(spec.written, ',').front()));
  std::string address = to_text(local_address(listener.get(), spec.written));
  if (brings == WorkKind::connections) return address;
  return address.starts_with("unix:") ? "unix-datagram:" + address.substr(5) : "udp:" + address;
}

// Classic BPF over the TCP header: drop what has SYN set (byte 13, bit 1), take the rest.
constexpr std::uint32_t flags_at = 13;
constexpr std::uint32_t syn = 0x02;
constexpr std::array<sock_filter, 4> syn_program = {
    {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_at), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
     BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)}};
constexpr std::array<sock_filter, 1> all_program = {BPF_STMT(BPF_RET | BPF_K, 0)};

template <std::size_t size>
bool attach_filter(const Descriptor& socket, std::array<sock_filter, size> program) {
  const sock_fprog filter{.len = size, .filter = program.data()};
  return ::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace

Listener::Listener(Descriptor socket, const ListenSpec& spec)
    : socket_(std::move(socket)),
      spec_(spec),
      brings_(brought_by(socket_, spec)),
      address_(address_of(socket_, spec, brings_)),
      lent_(spec.kind == ListenSpec::Kind::inherited) {
  if (spec.has_path()) {
    path_ = SocketPath(spec.path, spec.kind == ListenSpec::Kind::fifo ? socket_.get() : -1);
    path_.set_owner_and_mode(spec);
  }
  if (brings_ == WorkKind::datagrams) report_destinations(socket_, address_);
  take_options(spec);
}

Listener::Listener(Descriptor socket, const HandedOverListener& former)
    : socket_(std::move(socket)),
      spec_(former.spec),
      brings_(brought_by(socket_, spec_)),
      address_(address_of(socket_, spec_, brings_)),
      options_() {
  if (former.named) path_ = SocketPath(spec_.path, former.device, former.inode);
  name_ = spec_.name.empty() ? address_ : spec_.name;
}

Listener::~Listener() {
  if (lent_ && socket_) give_back_inherited(std::move(socket_));
}

HandedOverListener Listener::hand_over() const {
  return {.spec = spec_,
          .descriptor = descriptor(),
          .named = static_cast<bool>(path_),
          .device = path_.device(),
          .inode = path_.inode()};
}

bool HandedOverListener::serves(const ListenSpec& wanted) const {
  // If its path is gone, it must be opened again instead.
  return same_place(spec, wanted) && !(drained && spec.has_path());
}

std::vector<Listener> Listener::open(const ListenSpec& spec, int backlog, PortUse use) {
  std::vector<Listener> listeners;
  switch (spec.kind) {
    case ListenSpec::Kind::inherited:
      if (!spec.passed_as.empty())
        throw ConfigurationError(text("inherit ", spec.written,
                                      ": no descriptors were passed to this server with LISTEN_FDS and "
                                      "LISTEN_PID; a number needs no name"));
      listeners.push_back(Listener(adopt(spec.descriptor, spec.written), spec));
      return listeners;
    case ListenSpec::Kind::timer:
      listeners.push_back(Listener(start_timer(spec.period), spec));
      return listeners;
    case ListenSpec::Kind::fifo:
      listeners.push_back(Listener(open_fifo(spec), spec));
      return listeners;
    case ListenSpec::Kind::unix_datagram:
      listeners.push_back(Listener(bind_unix(spec), spec));
      return listeners;
    case ListenSpec::Kind::unix_socket:
      listeners.push_back(Listener(bind_unix(spec), spec));
      start_listening(listeners.back().socket_, backlog, spec.written);
      return listeners;
    case ListenSpec::Kind::tcp:
    case ListenSpec::Kind::udp:
      return open_inet(spec, backlog, use);
  }
  return listeners;
}

std::vector<Listener> Listener::open_inet(const ListenSpec& spec, int backlog, PortUse use) {
  std::vector<Listener> listeners;
  in_port_t port = 0;  // of the first address, used for all; sin_port and sin6_port are at the same offset
  std::optional<SystemError> missing;
  for (SocketAddress address : resolve(spec)) {
    auto& its_port = reinterpret_cast<sockaddr_in&>(address.storage).sin_port;
    if (its_port == 0) its_port = port;
    try {
      listeners.push_back(Listener(bind_inet(address, spec, to_text(address.storage), use), spec));
    } catch (const SystemError& error) {
      if (!is_missing_here(error)) throw;
      missing = error;
      continue;
    }
    const auto bound = local_address(listeners.back().descriptor(), spec.written);
    port = reinterpret_cast<const sockaddr_in&>(bound).sin_port;
    if (spec.kind == ListenSpec::Kind::tcp)
      start_listening(listeners.back().socket_, backlog, listeners.back().address());
    else
      make_room(listeners.back().socket_, backlog);
  }
  if (missing && listeners.empty()) throw SystemError(*missing);
  if (missing) log_warning(text("listen = ", spec.written, ": ", std::string_view(missing->what())));
  return listeners;
}

ChildListener Listener::of_a_child() const {
  ChildListener its{.descriptor = descriptor(), .name = name_, .proxy = spec_.proxy};
  if (brings_ != WorkKind::triggers) return its;
  its.trigger = spec_.kind == ListenSpec::Kind::timer ? TriggerKind::timer : spec_.per;
  its.wakes_all = true;
  return its;
}

unsigned Listener::backlog() const { return count_backlog(socket_.get(), brings_); }

void Listener::take_options(const ListenSpec& spec) {
  const bool changed = spec.mode != spec_.mode || spec.owner != spec_.owner || spec.group != spec_.group;
  if (path_ && changed) path_.set_owner_and_mode(spec);
  if (brings_ == WorkKind::connections) {
    set_nagle(socket_, spec.nagle, address_);
    if (options_ != spec.socket) set_socket_options(socket_, spec.socket, address_);
    options_ = spec.socket;
  }
  spec_ = spec;
  name_ = spec.name.empty() ? address_ : spec.name;
}

bool Listener::stop_arrivals() {
  switch (spec_.kind) {
    case ListenSpec::Kind::inherited:
      return false;
    case ListenSpec::Kind::unix_datagram:
      path_.remove();
      // Connected clients get EPIPE. The datagrams in the queue can still be read.
      return ::shutdown(socket_.get(), SHUT_RD) == 0;
    case ListenSpec::Kind::unix_socket:
    case ListenSpec::Kind::fifo:
      path_.remove();
      return true;
    case ListenSpec::Kind::timer:
      set_timer(socket_, {});
      return true;
    case ListenSpec::Kind::tcp:
      return attach_filter(socket_, syn_program);
    case ListenSpec::Kind::udp:
      return attach_filter(socket_, all_program);
  }
  return false;
}

void Listener::resume_arrivals() {
  if (spec_.kind == ListenSpec::Kind::timer) set_timer(socket_, spec_.period);
  const int unused = 0;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused,
               sizeof unused);  // fails if there is none
}

bool Listener::ended() const {
  pollfd socket{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&socket, 1, 0) > 0 && tells_end(socket);
}

void Listener::revive(int backlog) {
  socket_.reset();  // listen() on the same socket has no effect after shutdown(), even with TCP
  if (inherited()) throw ConfigurationError("it was inherited, and cannot be opened again");
  path_.remove();
  ListenSpec spec = parse_listen(address_);
  spec.socket = spec_.socket;
  spec.interface = spec_.interface;
  Listener opened = std::move(open(spec, backlog).front());
  opened.take_options(spec_);
  *this = std::move(opened);
}

unsigned Listener::close() {
  if (!socket_) return 0;
  unsigned left = 0;
  if (!inherited()) {
    path_.remove();
    left = backlog();
    // Children that still have the socket must not keep the queue alive. They may still answer datagrams.
    // Fails for a socket that another process has shut down.
    ::shutdown(socket_.get(), brings_ == WorkKind::connections ? SHUT_RDWR : SHUT_RD);
  }
  socket_.reset();
  return left;
}

}  // namespace brood
