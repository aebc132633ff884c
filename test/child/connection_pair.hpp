// SPDX-License-Identifier: MIT
// A connection as a handler has it, over a socketpair or TCP, and its peer's end.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "brood/connection.hpp"
#include "loopback_listener.hpp"

namespace brood::test {

struct Host final : ConnectionHost {
  std::string last;  // note
  void note(ConnectionId /*id*/, std::string_view text) override { last = text; }
  bool leaving() const override { return false; }
  bool gives_slot_back = false;
  bool detached() const override { return gives_slot_back; }
  void extend_deadline(ConnectionId /*id*/, std::chrono::steady_clock::time_point until) override {
    deadline = until;
  }
  std::chrono::steady_clock::time_point deadline{};
};

struct PairOptions {
  bool blocks = false;
  bool tcp = false;
  std::chrono::steady_clock::time_point deadline = Connection::no_deadline;
  std::chrono::steady_clock::time_point first_byte = Connection::no_deadline;
};

struct Pair {
  explicit Pair(const PairOptions& options) : connection(make(options)) {}
  explicit Pair(bool blocks = false) : Pair(PairOptions{.blocks = blocks}) {}
  Host host;
  Descriptor peer;
  Connection connection;

  void say(std::string_view data) const {
    REQUIRE(::send(peer.get(), data.data(), data.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(data.size()));
  }
  // What there is now.
  std::string hear() const {
    std::string all;
    std::array<char, 65536> buffer{};
    for (;;) {
      const ssize_t size = ::recv(peer.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  std::string hear_all() {
    std::string all = hear();
    while (!connection.flush()) all += hear();
    return all + hear();
  }

 private:
  Connection make(const PairOptions& options) {
    sockaddr_storage from{};
    Descriptor socket = options.tcp ? accepted(from) : connected();
    if (!options.blocks) ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    return {std::move(socket),
            {.peer = from,
             .listener = "name",
             .host = host,
             .id = 7,
             .blocks = options.blocks,
             .deadline = options.deadline,
             .first_byte = options.first_byte}};
  }
  Descriptor connected() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    peer.reset(ends[1]);
    return Descriptor(ends[0]);
  }
  Descriptor accepted(sockaddr_storage& from) {
    const test::LoopbackListener listener;
    const sockaddr_in& address = listener.address();
    peer.reset(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof from;
    return Descriptor(::accept(listener.socket().get(), reinterpret_cast<sockaddr*>(&from), &size));
  }
};

inline std::string numbered(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + ' ';
  text.resize(size);
  return text;
}

}  // namespace brood::test
