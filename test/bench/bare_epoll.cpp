// SPDX-License-Identifier: MIT
// The barest possible event loop in several processes, which the bench compares EventServer with: fork, then
// in each an epoll set, accept4, read, write; nothing else. Answers as example/event_echo.cpp does.
//
//   brood-bare-epoll PORT CHILDREN      prints the port; 0 takes a free one
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

int fail(const char* what) {
  std::perror(what);
  return EXIT_FAILURE;
}

void watch(int epoll, int descriptor, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void echo(int connection) {
  char buffer[4096];
  const ssize_t size = ::read(connection, buffer, sizeof buffer);
  if (size <= 0 || ::write(connection, buffer, static_cast<std::size_t>(size)) < 0) ::close(connection);
}

[[noreturn]] void serve(int listener) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener, EPOLLIN | EPOLLEXCLUSIVE);
  epoll_event events[64];
  for (;;) {
    const int number = ::epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < number; ++i) {
      if (events[i].data.fd != listener) {
        echo(events[i].data.fd);
        continue;
      }
      const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (connection >= 0) watch(epoll, connection, EPOLLIN);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: brood-bare-epoll PORT CHILDREN\n", stderr);
    return 64;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return fail("bind");
  if (::listen(listener, 4096) != 0) return fail("listen");
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);

  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const pid_t pid = ::fork();
    if (pid < 0) return fail("fork");
    if (pid > 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(listener);
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  for (;;) ::pause();
}
