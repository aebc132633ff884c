// SPDX-License-Identifier: MIT
// The commands of all test servers that ask something of the kernel; an error is answered by its text:
//
//   mkdir PATH       "made"                  socket-tcp    "opened": a TCP socket
//   first-line PATH  that line of the file   resolve HOST  its address
//   append PATH      "written": a line       in-thread     "joined": a thread
//   number N         "called": the system call of that number
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

namespace brood::test {

inline std::string or_error(bool done, const std::string& text) {
  return done ? text : std::generic_category().message(errno);
}

inline std::string address_of(const std::string& host) {
  const addrinfo wanted{.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); failed != 0)
    return ::gai_strerror(failed);
  std::array<char, INET_ADDRSTRLEN> address{};
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr, address.data(),
              address.size());
  ::freeaddrinfo(found);
  return address.data();
}

// Empty: it is another command.
inline std::optional<std::string> system_answer(const std::string& name, const std::string& rest) {
  errno = 0;
  if (name == "mkdir") return or_error(::mkdir(rest.c_str(), 0755) == 0, "made");
  if (name == "socket-tcp") {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::string answer = or_error(socket >= 0, "opened");
    if (socket >= 0) ::close(socket);
    return answer;
  }
  if (name == "first-line") {
    std::ifstream file(rest);
    std::string line;
    return or_error(static_cast<bool>(std::getline(file, line)), line);
  }
  if (name == "append") {
    const int file = ::open(rest.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    const std::string answer = or_error(file >= 0 && ::write(file, "line\n", 5) == 5, "written");
    if (file >= 0) ::close(file);
    return answer;
  }
  if (name == "resolve") return address_of(rest);
  if (name == "in-thread") {
    std::thread([] { ::getppid(); }).join();
    return "joined";
  }
  if (name == "number") return or_error(::syscall(std::stol(rest)) >= 0, "called");
  return {};
}

}  // namespace brood::test
