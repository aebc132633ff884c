// SPDX-License-Identifier: MIT
#include "slow_clients.hpp"

#include <poll.h>
#include <sys/socket.h>

#include "load_client.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

}  // namespace

SlowClients::SlowClients(const std::string& address, unsigned number,
                         std::optional<std::chrono::milliseconds> come_back)
    : address_(address), come_back_(come_back) {
  raise_descriptor_limit(number);
  clients_.resize(number);
  for (Client& client : clients_) look_at(client, false, Clock::now());
  thread_ = std::thread([this] { run(); });
}

SlowClients::~SlowClients() {
  stop_ = true;
  thread_.join();
}

void SlowClients::look_at(Client& client, bool readable, Clock::time_point now) {
  if (readable) {  // it answers nothing: this is the end
    ++ended_;
    client.socket.reset();
    client.next = come_back_ ? now + *come_back_ : Clock::time_point::max();
  }
  if (now < client.next) return;
  client.next = now + 1s;
  if (!client.socket) {
    client.socket = LoadTarget(address_).connect(SOCK_NONBLOCK);
    return;
  }
  // A failure is seen as an end.
  [[maybe_unused]] const auto sent = ::send(client.socket.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void SlowClients::run() {
  std::vector<pollfd> events(clients_.size());
  while (!stop_) {
    for (std::size_t i = 0; i < clients_.size(); ++i)
      events[i] = {.fd = clients_[i].socket ? clients_[i].socket.get() : -1, .events = POLLIN, .revents = 0};
    ::poll(events.data(), events.size(), 10);
    for (std::size_t i = 0; i < clients_.size(); ++i)
      look_at(clients_[i], events[i].revents != 0, Clock::now());
  }
}

}  // namespace brood::bench
