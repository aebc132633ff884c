// SPDX-License-Identifier: MIT
#include "listener.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "backlog.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "text.hpp"

namespace brood {
namespace {

void set_option(const Descriptor& socket, int level, int option, const std::string& what) {
  const int on = 1;
  if (::setsockopt(socket.get(), level, option, &on, sizeof on) != 0)
    throw SystemError("set options of " + what, errno);
}

sockaddr_storage local_address(int socket, const std::string& what) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the address of " + what, errno);
  return address;
}

Descriptor new_socket(int family, const std::string& what) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw SystemError("socket for " + what, errno);
  return socket;
}

Descriptor bind_tcp(const SocketAddress& address, const std::string& what) {
  Descriptor socket = new_socket(address.storage.ss_family, what);
  set_option(socket, SOL_SOCKET, SO_REUSEADDR, what);
  if (address.storage.ss_family == AF_INET6) set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, what);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    throw SystemError("bind to " + what, errno);
  return socket;
}

Descriptor bind_unix(const ListenSpec& spec) {
  const SocketAddress address = resolve(spec).front();
  remove_stale_socket(spec);
  Descriptor socket = new_socket(AF_UNIX, spec.written);
  const mode_t mask = ::umask(0177);  // nobody connects before mode and owner are right
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  const int error_number = errno;
  ::umask(mask);
  if (bound != 0) throw SystemError("bind to " + spec.written, error_number);
  return socket;
}

void start_listening(const Descriptor& socket, int backlog, const std::string& what) {
  if (::listen(socket.get(), backlog) != 0) throw SystemError("listen on " + what, errno);
}

Descriptor adopt(int descriptor, const std::string& what) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0)
    throw SystemError("inherit " + what, errno, ExitCode::configuration);
  if (listening == 0) throw ConfigurationError("inherit " + what + ": the descriptor is no listening socket");
  // From here on it is ours: programs that handlers start don't get it, and it is closed when it is let go.
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) throw SystemError("inherit " + what, errno);
  return Descriptor(descriptor);
}

std::vector<SocketAddress> addresses_of(const ListenSpec& spec) {
  return spec.kind == ListenSpec::Kind::tcp ? resolve(spec) : std::vector<SocketAddress>{};
}

}  // namespace

Listener::Listener(Descriptor socket, const ListenSpec& spec)
    : socket_(std::move(socket)), spec_(spec), address_(to_text(local_address(socket_.get(), spec.written))) {
  if (spec.kind == ListenSpec::Kind::unix_socket) {
    path_ = SocketPath(spec.path);
    path_.set_owner_and_mode(spec);
  }
  take_options(spec);
}

std::vector<Listener> Listener::open(const ListenSpec& spec, int backlog) {
  std::vector<Listener> listeners;
  if (spec.kind == ListenSpec::Kind::inherited) {
    listeners.push_back(Listener(adopt(spec.descriptor, spec.written), spec));
  } else if (spec.kind == ListenSpec::Kind::unix_socket) {
    listeners.push_back(Listener(bind_unix(spec), spec));
    start_listening(listeners.back().socket_, backlog, spec.written);
  }
  in_port_t port =
      0;  // taken by the first of several addresses; sin_port and sin6_port stand at the same place
  std::optional<SystemError> missing;
  for (SocketAddress address : addresses_of(spec)) {
    auto& its_port = reinterpret_cast<sockaddr_in&>(address.storage).sin_port;
    if (its_port == 0) its_port = port;
    try {
      listeners.push_back(Listener(bind_tcp(address, to_text(address.storage)), spec));
    } catch (const SystemError& error) {
      // A name may have addresses of a family that this machine is without; the others will do.
      if (error.error_number() != EAFNOSUPPORT && error.error_number() != EADDRNOTAVAIL) throw;
      missing = error;
      continue;
    }
    const auto bound = local_address(listeners.back().descriptor(), spec.written);
    port = reinterpret_cast<const sockaddr_in&>(bound).sin_port;
    start_listening(listeners.back().socket_, backlog, listeners.back().address());
  }
  if (missing && listeners.empty()) throw SystemError(*missing);
  if (missing) log_warning(text("listen = ", spec.written, ": ", std::string_view(missing->what())));
  return listeners;
}

unsigned Listener::backlog() const { return count_backlog(socket_.get()); }

void Listener::take_options(const ListenSpec& spec) {
  const bool changed = spec.mode != spec_.mode || spec.owner != spec_.owner || spec.group != spec_.group;
  if (path_ && changed) path_.set_owner_and_mode(spec);
  spec_ = spec;
  name_ = spec.name.empty() ? address_ : spec.name;
}

bool Listener::refuse_newcomers() {
  if (inherited()) return false;
  if (spec_.kind == ListenSpec::Kind::unix_socket) {
    path_.remove();
    return true;
  }
  // Classic BPF over the TCP header: drop what has SYN set (byte 13, bit 1), take the rest.
  constexpr std::uint32_t flags_at = 13;
  constexpr std::uint32_t syn = 0x02;
  std::array<sock_filter, 4> program = {
      {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_at), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, syn, 0, 1),
       BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)}};
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  return ::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

bool Listener::welcome_newcomers() {
  if (spec_.kind == ListenSpec::Kind::unix_socket) return false;  // its name is gone
  const int unused = 0;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);  // there may be none
  return true;
}

unsigned Listener::close() {
  if (!socket_) return 0;
  unsigned left = 0;
  if (!inherited()) {
    path_.remove();
    left = backlog();
    ::shutdown(socket_.get(), SHUT_RDWR);  // children that still hold it must not keep its queue alive
  }
  socket_.reset();
  return left;
}

}  // namespace brood
