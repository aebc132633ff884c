// SPDX-License-Identifier: MIT
#include "replay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "brood/descriptor.hpp"

namespace brood::test {
namespace {

using Instant = std::chrono::steady_clock::time_point;

sockaddr_in parse(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  if (colon == std::string::npos ||
      ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &parsed.sin_addr) != 1)
    throw std::runtime_error("not an address of IPv4: " + address);
  parsed.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  return parsed;
}

struct OpenClient {
  Descriptor socket;
  Instant came;
  std::chrono::milliseconds held;
  std::string question;  // "": it was sent
};

class Replay {
 public:
  Replay(const std::string& address, const std::vector<ReplayedClient>& clients)
      : address_(parse(address)), clients_(clients), begin_(std::chrono::steady_clock::now()) {}
  Replayed run(const Looks& looks);

 private:
  void begin(const ReplayedClient& client);
  void wait(Instant until);
  bool go_on(OpenClient& client);  // false: it is done

  const sockaddr_in address_;
  const std::vector<ReplayedClient>& clients_;
  const Instant begin_;
  std::vector<OpenClient> open_;
  Replayed result_;
};

void Replay::begin(const ReplayedClient& client) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) throw std::system_error(errno, std::generic_category(), "socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) != 0 &&
      errno != EINPROGRESS) {
    ++result_.failed;
    return;
  }
  open_.push_back({std::move(socket), std::chrono::steady_clock::now(), client.held,
                   "hold " + std::to_string(client.held.count()) + '\n'});
}

bool Replay::go_on(OpenClient& client) {
  if (!client.question.empty()) {
    const auto sent =
        ::send(client.socket.get(), client.question.data(), client.question.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(client.question.size())) {
      client.question.clear();
      return true;
    }
    ++result_.failed;
    return false;
  }
  std::array<char, 256> answer{};
  const auto received = ::recv(client.socket.get(), answer.data(), answer.size(), 0);
  if (received < 0 && errno == EAGAIN) return true;
  if (received <= 0)
    ++result_.failed;
  else
    result_.answers.push_back({client.came - begin_, std::chrono::steady_clock::now() - client.came,
                               client.held, std::string(answer.data(), static_cast<std::size_t>(received))});
  return false;
}

void Replay::wait(Instant until) {
  std::vector<pollfd> watched;
  for (const auto& client : open_)
    watched.push_back({.fd = client.socket.get(),
                       .events = static_cast<short>(client.question.empty() ? POLLIN : POLLOUT),
                       .revents = 0});
  const auto left =
      std::max<Instant::duration>(until - std::chrono::steady_clock::now(), Instant::duration(0));
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
  if (::ppoll(watched.data(), watched.size(), &timeout, nullptr) <= 0) return;
  std::vector<OpenClient> still;
  for (std::size_t i = 0; i < open_.size(); ++i)
    if (watched[i].revents == 0 || go_on(open_[i])) still.push_back(std::move(open_[i]));
  open_ = std::move(still);
}

Replayed Replay::run(const Looks& looks) {
  constexpr std::chrono::minutes patience{1};  // of a client
  auto next = clients_.begin();
  auto look_at = looks.interval;
  for (;;) {
    const Instant now = std::chrono::steady_clock::now();
    for (; next != clients_.end() && begin_ + next->at <= now; ++next) begin(*next);
    if (look_at <= looks.length && begin_ + look_at <= now) {
      looks.look(look_at);
      look_at += looks.interval;
    }
    const bool all_begun = next == clients_.end();
    if (all_begun && open_.empty() && look_at > looks.length) return std::move(result_);
    Instant until = now + patience;
    if (!all_begun) until = std::min(until, begin_ + next->at);
    if (look_at <= looks.length) until = std::min(until, begin_ + look_at);
    wait(until);
    if (std::erase_if(open_,
                      [&](const OpenClient& client) { return now > client.came + client.held + patience; }))
      ++result_.failed;
  }
}

}  // namespace

Replayed replay(const std::string& address, const std::vector<ReplayedClient>& clients, const Looks& looks) {
  return Replay(address, clients).run(looks);
}

std::string as_arrivals(const Replayed& replayed, std::chrono::nanoseconds more) {
  std::string out;
  for (const auto& answer : replayed.answers)
    out += std::to_string(std::chrono::duration<double>(answer.at).count()) + ' ' +
           std::to_string(std::chrono::duration<double>(answer.held + more).count()) + '\n';
  return out;
}

}  // namespace brood::test
