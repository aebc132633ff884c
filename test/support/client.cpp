// SPDX-License-Identifier: MIT
#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace brood::test {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address parse(const std::string& text) {
  Address address;
  if (text.starts_with("unix:")) {
    auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
    local.sun_family = AF_UNIX;
    text.substr(5).copy(local.sun_path, sizeof local.sun_path - 1);
    address.size = sizeof local;
    return address;
  }
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const auto port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
  if (host.starts_with('[')) {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = port;
    ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ipv6.sin6_addr);
    address.size = sizeof ipv6;
  } else {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(address.storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = port;
    ::inet_pton(AF_INET, host.c_str(), &ipv4.sin_addr);
    address.size = sizeof ipv4;
  }
  return address;
}

[[noreturn]] void fail(const std::string& what) {
  const int error_number = errno;
  Ending ending = Ending::other;
  switch (error_number) {
    case ECONNRESET:
    case EPIPE:
      ending = Ending::reset;
      break;
    case ECONNREFUSED:
    case ENOENT:
      ending = Ending::refused;
      break;
    case EAGAIN:
    case EINPROGRESS:
    case ETIMEDOUT:
      ending = Ending::timed_out;
      break;
    default:
      break;
  }
  throw ClientError(ending, what + ": " + std::strerror(error_number));
}

}  // namespace

Client::Client(const std::string& text, std::chrono::milliseconds deadline) {
  const Address address = parse(text);
  socket_.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) fail("socket");
  limit_waits(deadline);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    fail("connect to " + text);
}

void Client::limit_waits(std::chrono::milliseconds deadline) const {
  const timeval wait{.tv_sec = deadline.count() / 1000, .tv_usec = deadline.count() % 1000 * 1000};
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})  // the first one holds for connect() too
    ::setsockopt(socket_.get(), SOL_SOCKET, option, &wait, sizeof wait);
}

void Client::send(std::string_view data) {
  while (!data.empty()) {
    const ssize_t size = ::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (size < 0) fail("send");
    data.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string Client::receive_some() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  std::array<char, 4096> buffer{};
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (size < 0) fail("receive");
  return {buffer.data(), static_cast<std::size_t>(size)};
}

std::string Client::line() {
  std::string text;
  for (;;) {
    const std::string some = receive_some();
    if (some.empty()) throw ClientError(Ending::closed, "receive: closed after '" + text + "'");
    const auto end = some.find('\n');
    text += some.substr(0, end);
    if (end == std::string::npos) continue;
    unread_ = some.substr(end + 1);
    return text;
  }
}

std::string Client::until_end() {
  std::string all;
  for (;;) {
    const std::string some = receive_some();
    if (some.empty()) return all;
    all += some;
  }
}

Ending Client::ending() {
  try {
    until_end();
    return Ending::closed;
  } catch (const ClientError& error) {
    return error.ending();
  }
}

void Client::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void Client::abandon() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
}

bool answers(const std::string& address, std::string_view question, std::string_view answer) {
  try {
    return Client(address).ask(question) == answer;
  } catch (const ClientError&) {
    return false;
  }
}

bool refuses(const std::string& address, std::string_view question) {
  try {
    Client(address, std::chrono::milliseconds(50)).ask(question);
    return false;
  } catch (const ClientError& error) {
    return error.ending() == Ending::refused;
  }
}

}  // namespace brood::test
