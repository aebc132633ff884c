// SPDX-License-Identifier: MIT
#include "listener.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "backlog.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "identity.hpp"
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

// A name in the file system outlives its server. It is in the way of nobody when nobody answers at it.
void remove_stale(const SocketAddress& address, const std::string& path, const std::string& what) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw SystemError("bind to " + what + ": the path is no socket", EEXIST);
  const Descriptor probe = new_socket(AF_UNIX, what);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0)
    throw SystemError("bind to " + what + ": another server answers there", EADDRINUSE);
  if (errno == ECONNREFUSED && ::unlink(path.c_str()) != 0) throw SystemError("remove stale " + path, errno);
}

void set_owner_and_mode(const ListenSpec& spec) {
  if (!spec.owner.empty() || !spec.group.empty()) {
    const Identity identity = find_identity(spec.owner, spec.group);
    if (::chown(spec.path.c_str(), identity.user, identity.group) != 0)
      throw SystemError("give " + spec.path + " to " + spec.owner, errno);
  }
  if (::chmod(spec.path.c_str(), spec.mode) != 0) throw SystemError("set the mode of " + spec.path, errno);
}

Descriptor bind_unix(const ListenSpec& spec, const std::string& what) {
  const SocketAddress address = resolve(spec).front();
  remove_stale(address, spec.path, what);
  Descriptor socket = new_socket(AF_UNIX, what);
  const mode_t mask = ::umask(0177);  // nobody connects before mode and owner are right
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  const int error_number = errno;
  ::umask(mask);
  if (bound != 0) throw SystemError("bind to " + what, error_number);
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
  // Our own copy: the setting may name the same descriptor again after a reload.
  Descriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw SystemError("inherit " + what, errno);
  return copy;
}

}  // namespace

Listener::Listener(Descriptor socket, const ListenSpec& spec, bool inherited)
    : socket_(std::move(socket)),
      spec_(spec),
      address_(to_text(local_address(socket_.get(), spec.written))),
      inherited_(inherited) {
  take_options(spec);
  if (spec.kind == ListenSpec::Kind::unix_socket) remember_path();
}

std::vector<Listener> Listener::open(const ListenSpec& spec, int backlog) {
  std::vector<Listener> listeners;
  if (spec.kind == ListenSpec::Kind::inherited) {
    listeners.push_back(Listener(adopt(spec.descriptor, spec.written), spec, true));
  } else if (spec.kind == ListenSpec::Kind::unix_socket) {
    listeners.push_back(Listener(bind_unix(spec, spec.written), spec, false));
    start_listening(listeners.back().socket_, backlog, spec.written);
  } else {
    in_port_t port =
        0;  // taken by the first of several addresses; sin_port and sin6_port stand at the same place
    for (SocketAddress address : resolve(spec)) {
      auto& its_port = reinterpret_cast<sockaddr_in&>(address.storage).sin_port;
      if (its_port == 0) its_port = port;
      listeners.push_back(Listener(bind_tcp(address, to_text(address.storage)), spec, false));
      const auto bound = local_address(listeners.back().descriptor(), spec.written);
      port = reinterpret_cast<const sockaddr_in&>(bound).sin_port;
      start_listening(listeners.back().socket_, backlog, listeners.back().address());
    }
  }
  return listeners;
}

unsigned Listener::backlog() const { return count_backlog(socket_.get()); }

bool Listener::is_of(const ListenSpec& spec) const {
  return spec_.kind == spec.kind && spec_.host == spec.host && spec_.port == spec.port &&
         spec_.path == spec.path && spec_.descriptor == spec.descriptor;
}

void Listener::take_options(const ListenSpec& spec) {
  if (spec.kind == ListenSpec::Kind::unix_socket) set_owner_and_mode(spec);
  spec_ = spec;
  name_ = spec.name.empty() ? address_ : spec.name;
}

bool Listener::refuse_newcomers() {
  if (inherited_) return false;
  if (!path_.empty()) {
    remove_path();
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

unsigned Listener::close() {
  if (!socket_) return 0;
  unsigned left = 0;
  if (!inherited_) {
    remove_path();
    left = backlog();
    ::shutdown(socket_.get(), SHUT_RDWR);  // children that still hold it must not keep its queue alive
  }
  socket_.reset();
  return left;
}

void Listener::remember_path() {
  struct stat status {};
  if (::lstat(spec_.path.c_str(), &status) != 0) throw SystemError("stat " + spec_.path, errno);
  path_ = spec_.path;
  path_device_ = status.st_dev;
  path_inode_ = status.st_ino;
}

// Only our own: a successor may have bound the path anew.
void Listener::remove_path() {
  struct stat status {};
  if (!path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == path_device_ &&
      status.st_ino == path_inode_ && ::unlink(path_.c_str()) != 0)
    log_warning(SystemError("remove " + path_, errno).what());
  path_.clear();
}

}  // namespace brood
