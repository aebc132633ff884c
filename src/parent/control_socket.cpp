// SPDX-License-Identifier: MIT
#include "parent/control_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_peers = 16;
constexpr std::size_t largest_request = 4096;
constexpr auto client_time_limit = 5s;  // to send a request, and to read the answer
constexpr auto pause_of_accept = 1s;    // after an error
constexpr int listen_queue = 16;

Descriptor bind_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Error("the path is too long for a socket");
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // The mode is set before the socket has a name: nobody else can connect at any time.
  if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), listen_queue) != 0)
    throw SystemError("open " + path, errno);
  return socket;
}

}  // namespace

// Under another name first: clients find a socket that somebody listens on at any time.
ControlSocket::ControlSocket(const std::string& path) {
  const std::string temporary = text(path, ".", ::getpid());
  ::unlink(temporary.c_str());  // of an earlier process with this pid
  listener_ = bind_at(temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(temporary.c_str());
    throw SystemError("rename " + temporary + " to " + path, error_number);
  }
  path_ = SocketPath(path);
}

ControlSocket::ControlSocket(const std::string& path, Descriptor listener, const HandedOverControl& left)
    : listener_(std::move(listener)), path_(path, left.device, left.inode) {}

HandedOverControl ControlSocket::hand_over() const {
  return {.descriptor = listener_.get(), .device = path_.device(), .inode = path_.inode()};
}

void ControlSocket::take_clients(ControlSocket& from) {
  peers_ = std::move(from.peers_);
  last_ = from.last_;
}

void ControlSocket::add_watched(std::vector<pollfd>& to) const {
  if (!listener_) return;
  if (accepts_again_ == Time::min()) to.push_back({.fd = listener_.get(), .events = POLLIN, .revents = 0});
  // A client that waits for its answer is watched for its end, which poll() always reports.
  for (const Peer& peer : peers_)
    to.push_back({.fd = peer.socket.get(),
                  .events = static_cast<short>(!peer.asked            ? POLLIN
                                               : !peer.answer.empty() ? POLLOUT
                                                                      : 0),
                  .revents = 0});
}

std::vector<ControlSocket::Request> ControlSocket::receive(const std::vector<pollfd>& events, Time now) {
  std::vector<Request> requests;
  if (!listener_) return requests;
  for (const pollfd& event : events) {
    const auto peer = std::ranges::find(peers_, event.fd, [](const Peer& each) { return each.socket.get(); });
    if (event.revents == 0 || peer == peers_.end()) continue;
    if (!peer->asked)
      receive(*peer, requests);
    else if (!peer->answer.empty())
      send(*peer);
    else
      peer->socket.reset();
  }
  for (Peer& peer : peers_)
    if (peer.deadline <= now) peer.socket.reset();
  std::erase_if(peers_, [](const Peer& peer) { return !peer.socket; });
  // Last, because a new client may get a descriptor that one of the events had.
  const bool comes = std::ranges::any_of(
      events, [&](const pollfd& event) { return event.fd == listener_.get() && event.revents != 0; });
  const bool again = accepts_again_ != Time::min() && accepts_again_ <= now;
  if (comes || again) accept_some(now);
  return requests;
}

// Also beyond the limit: such a client is refused, and does not wait in the queue.
void ControlSocket::accept_some(Time now) {
  accepts_again_ = Time::min();
  for (int i = 0; i < listen_queue; ++i) {
    Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) accepts_again_ = now + pause_of_accept;
      break;
    }
    ucred user{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
    socklen_t size = sizeof user;
    const bool known = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &user, &size) == 0;
    Peer& peer = peers_.emplace_back(Peer{.id = ++last_,
                                          .from = text("user ", user.uid, ", process ", user.pid),
                                          .socket = std::move(socket),
                                          .deadline = now + client_time_limit});
    if (!known || (user.uid != 0 && user.uid != ::geteuid())) {
      log_warning(text("control socket: ", peer.from,
                       " is refused: orders are accepted from root and from the server's own user"));
      answer(peer,
             {done(outcome::not_permitted, "orders are accepted from root and from the server's own user")});
    } else if (peers_.size() > most_peers) {
      answer(peer,
             {done(outcome::try_again, text("too many requests are being answered (", most_peers, ")"))});
    }
  }
  std::erase_if(peers_, [](const Peer& peer) { return !peer.socket; });
}

void ControlSocket::receive(Peer& peer, std::vector<Request>& requests) {
  std::array<char, largest_request + 1> buffer{};
  const ssize_t size = ::recv(peer.socket.get(), buffer.data(), buffer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return peer.socket.reset();
  peer.request.append(buffer.data(), static_cast<std::size_t>(size));
  const auto end = peer.request.find('\n');
  if (std::min(end, peer.request.size()) > largest_request)
    return answer(peer,
                  {done(outcome::wrong_usage, text("a request has at most ", largest_request, " bytes"))});
  if (end == std::string::npos) return;
  try {
    requests.push_back({.client = peer.id,
                        .from = peer.from,
                        .record = WireRecord::parse(std::string_view(peer.request).substr(0, end))});
    peer.asked = true;
    peer.deadline = never;
  } catch (const Error& error) {
    answer(peer, {done(outcome::wrong_usage, error.what())});
  }
}

Time ControlSocket::deadline() const {
  Time next = accepts_again_ == Time::min() ? never : accepts_again_;
  for (const Peer& peer : peers_) next = std::min(next, peer.deadline);
  return next;
}

bool ControlSocket::is_there(Client client) const {
  return std::ranges::any_of(peers_, [client](const Peer& peer) { return peer.id == client; });
}

int ControlSocket::descriptor(Client client) const {
  return std::ranges::find(peers_, client, &Peer::id)->socket.get();
}

ControlSocket::Client ControlSocket::take_over(Descriptor socket) {
  peers_.push_back({.id = ++last_,
                    .from = "the client that asked for the upgrade",
                    .socket = std::move(socket),
                    .asked = true});
  return last_;
}

void ControlSocket::answer(Client client, const Answer& answer) {
  const auto peer = std::ranges::find(peers_, client, &Peer::id);
  if (peer == peers_.end()) return;
  this->answer(*peer, answer);
  if (!peer->socket) peers_.erase(peer);
}

void ControlSocket::answer(Peer& peer, const Answer& answer) {
  peer.asked = true;
  for (const WireRecord& record : answer) peer.answer += record.line() + '\n';
  peer.deadline = Clock::now() + client_time_limit;
  send(peer);
}

void ControlSocket::send(Peer& peer) {
  const ssize_t sent =
      ::send(peer.socket.get(), peer.answer.data(), peer.answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) peer.answer.erase(0, static_cast<std::size_t>(sent));
  const bool later = sent < 0 && (errno == EAGAIN || errno == EINTR);
  if (peer.answer.empty() || (sent < 0 && !later)) peer.socket.reset();
}

void ControlSocket::forget() {
  listener_.reset();
  for (Peer& peer : peers_) peer.socket.reset();
}

}  // namespace brood
