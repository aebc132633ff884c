// SPDX-License-Identifier: MIT
#include "brood/connection.hpp"

#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/event_descriptor.hpp"
#include "base/service/limits.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/connection/connection_output.hpp"
#include "child/connection/input_buffer.hpp"
#include "child/proxy/connection_sender.hpp"

namespace brood {

[[gnu::hot]] Connection::Connection(Descriptor socket, const Origin& origin)
    : socket_(std::move(socket)),
      peer_(origin.peer),
      listener_(origin.listener),
      host_(&origin.host),
      id_(origin.id),
      blocks_(origin.blocks) {
  limits_.deadline = origin.deadline;
  limits_.first_byte = origin.first_byte;
}

[[gnu::hot]] Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
[[gnu::hot]] Connection::~Connection() { close(); }

void Connection::broke(const char* doing, int error_number) {
  all_read_ = true;
  throw ConnectionError(text(std::string_view(doing), " ", peer()), error_number);
}

const char* Connection::deadline_name() const {
  return limits_.own_deadline ? "deadline: " : "connection-timeout: ";
}

void Connection::timed_out(const char* doing, const char* by) const {
  throw TimeoutError(text(std::string_view(by), std::string_view(doing), " ", peer()));
}

[[gnu::hot]] bool Connection::is_over(Time& deadline) {
  if (deadline == no_deadline || Clock::now() < deadline) return false;
  if (!host_->detached()) return true;
  deadline = no_deadline;
  return false;
}

[[gnu::hot]] void Connection::check_deadline(const char* doing) {
  if (is_over(limits_.deadline)) timed_out(doing, deadline_name());
}

void Connection::extend_deadline(std::chrono::milliseconds time) {
  const bool later = Clock::now() + std::min<Clock::duration>(time, longest_extension) > limits_.deadline;
  const bool own = limits_.own_deadline;
  if (later) set_deadline(time);
  limits_.own_deadline = own;
}

void Connection::set_deadline(std::chrono::milliseconds time) {
  const Time until = Clock::now() + std::min<Clock::duration>(time, longest_extension);
  const bool later = limits_.deadline != no_deadline && until > limits_.deadline;
  limits_.deadline = until;
  limits_.own_deadline = true;
  if (later) host_->extend_deadline(id_, until);
}

// With a deadline a socket that blocks is waited for in poll(), which knows the time. Otherwise the kernel
// waits in the call itself, and a connection costs no further call.
[[gnu::hot]] int Connection::wait_flag() const { return limits_.deadline == no_deadline ? 0 : MSG_DONTWAIT; }

// An answer shows that the peer has sent what it was waited for.
std::chrono::nanoseconds Connection::patience() {
  if (std::exchange(limits_.written_before, bytes_.written) != bytes_.written) {
    limits_.waited = {};
    limits_.read_before = bytes_.read;
  }
  return host_->patience(limits_.waited, bytes_.read - limits_.read_before);
}

// For a call that does not block. A signal may end the wait for input, so that its limit is asked for again.
void Connection::wait_for(short event) {
  const bool input = event == POLLIN;
  const char* const doing = input ? "read from" : "write to";
  const Time until = deadline_in(input ? limits_.read : limits_.write);
  for (;;) {
    const auto patience = input && blocks_ ? this->patience() : ConnectionHost::no_limit;
    if (patience == std::chrono::nanoseconds::zero()) timed_out(doing, "overload-read-timeout: ");
    const bool limited = patience != ConnectionHost::no_limit;
    const Time first_byte = input ? first_byte_deadline() : never;
    const Time begin = limited ? Clock::now() : never;
    pollfd state{.fd = socket_.get(), .events = event, .revents = 0};
    const int number = poll_until(
        {&state, 1}, std::min({until, limits_.deadline, first_byte, limited ? begin + patience : never}));
    const bool ready = number > 0 || (number < 0 && errno != EINTR);  // what follows finds the error
    if (limited) limits_.waited += Clock::now() - begin;
    if (ready) return;
    check_deadline(doing);
    if (first_byte != never && is_over(limits_.first_byte)) timed_out(doing, "first-byte-timeout: ");
    if (until != never && Clock::now() >= until) timed_out(doing, "");
  }
}

void Connection::set_timeouts(std::chrono::milliseconds read, std::chrono::milliseconds write) {
  const auto set = [this](int option, std::chrono::milliseconds timeout, std::chrono::milliseconds before) {
    if (timeout == before && timeout.count() > 0) return;  // 0: it may have another one of its listener
    const timeval value{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
    if (::setsockopt(socket_.get(), SOL_SOCKET, option, &value, sizeof value) != 0)
      throw SystemError("set the timeouts of " + peer(), errno, ExitCode::software);
  };
  if (blocks_) {
    set(SO_RCVTIMEO, read, limits_.read);
    set(SO_SNDTIMEO, write, limits_.write);
  }
  limits_.read = read;
  limits_.write = write;
}

std::string Connection::peer() const { return to_text(peer_); }

std::string Connection::local() const {
  if (sender_ && sender_->header.names_client()) return sender_->header.destination.text();
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw SystemError("ask for the local address of " + peer(), errno, ExitCode::software);
  return to_text(address);
}

std::optional<PeerCredentials> Connection::peer_credentials() const {
  if (sender_ && sender_->header.names_client()) return {};  // they are the balancer's
  const auto ask = [this](int option, auto& answer) {
    socklen_t size = sizeof answer;
    if (::getsockopt(socket_.get(), SOL_SOCKET, option, &answer, &size) != 0)
      throw SystemError("ask for the credentials of " + peer(), errno, ExitCode::software);
  };
  int family = 0;
  ask(SO_DOMAIN, family);
  if (family != AF_UNIX) return {};
  ucred peer{};
  ask(SO_PEERCRED, peer);
  return PeerCredentials{.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
}

void HandlerState::refuse(const std::type_info& asked) const {
  throw Error(text("the state of a connection is a ", std::string_view(type_->name()), " and not a ",
                   std::string_view(asked.name())));
}

void Connection::add_bytes(std::uint64_t bytes_read, std::uint64_t bytes_written) {
  bytes_.read += bytes_read;
  bytes_.written += bytes_written;
}

[[gnu::hot]] bool Connection::half_close() {
  if (!socket_ || all_read_ || half_closed_) return false;
  half_closed_ = true;              // before the check: close() must not wait for input that comes after it
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  if (::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT) <= 0) return false;
  ::shutdown(socket_.get(), SHUT_WR);
  return true;
}

bool Connection::drop_input() {
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  ssize_t size = 0;
  // Not more at once: a peer that sends without end must not keep an event loop to itself.
  for (int i = 0; i < 16; ++i) {
    size = ::recv(socket_.get(), unwanted.data(), unwanted.size(), MSG_DONTWAIT);
    if (size <= 0) break;
  }
  all_read_ = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  return all_read_;
}

[[gnu::hot]] void Connection::close() {
  if (!socket_) return;
  if (half_close() && blocks_) {
    const Time until = Clock::now() + linger_time;
    while (!drop_input() && wait_for_event(socket_.get(), POLLIN, until)) {
    }
  }
  socket_.reset();
}

}  // namespace brood
