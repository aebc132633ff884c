// SPDX-License-Identifier: MIT
// How soon the status listener answers while each of 1,000 children is busy.
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <regex>
#include <stdexcept>
#include <system_error>

#include "idle_connections.hpp"
#include "measured_server.hpp"
#include "measures.hpp"

namespace brood::bench {
namespace {

constexpr unsigned children = 1000;
constexpr double longest = 50;  // milliseconds, to the first byte

std::string status_address_of(const MeasuredServer& server) {
  const std::string log = server.log();
  std::smatch found;
  if (!std::regex_search(log, found, std::regex("status on ([0-9.:]+)")))
    throw std::runtime_error("the log tells no address of the status listener");
  return found[1].str();
}

struct Answer {
  std::chrono::nanoseconds first_byte{0};
  std::string text;
};

Answer get(const std::string& address, const std::string& path) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  std::array<char, 65536> buffer{};
  Answer answer;
  const auto began = std::chrono::steady_clock::now();
  const Descriptor socket = LoadTarget(address).connect(0);
  if (!socket || ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
    throw std::system_error(errno, std::generic_category(), "ask " + address);
  for (;;) {
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) throw std::system_error(errno, std::generic_category(), "answer of " + address);
    if (size == 0) return answer;
    if (answer.text.empty()) answer.first_byte = std::chrono::steady_clock::now() - began;
    answer.text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

void measure_status(Report& report, Extent extent) {
  const int times = extent.of(30, 10);
  const MeasuredServer server(
      "echo", fixed_pool(children) + Words{"--status-listen=127.0.0.1:0", "--overload-read-timeout=0"});
  const std::string address = status_address_of(server);
  const IdleConnections clients(server.address(), children);
  for (const char* const path : {"/", "/status.json", "/metrics"}) {
    Samples first_bytes;
    std::size_t size = 0;
    bool good = true;
    for (int i = 0; i < times; ++i) {
      const Answer answer = get(address, path);
      first_bytes.add(answer.first_byte);
      size = answer.text.size();
      good &= answer.text.starts_with("HTTP/1.1 200 ");
    }
    report.add(pass_if(good && first_bytes.most() < longest), std::string(path) + ", first byte",
               first_bytes.describe(1, " ms") + ", " + std::to_string(size / 1024) + " KiB",
               "each under " + decimal(longest, 0) + " ms, code 200");
  }
  report.add(pass_if(clients.closed() == 0), "connections of busy children that were closed",
             std::to_string(clients.closed()), "none");
}

}  // namespace brood::bench
