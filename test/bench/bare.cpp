// SPDX-License-Identifier: MIT
// The barest possible prefork loop, which the bench compares the kit with: fork, accept4, read, write, close;
// nothing else. Answers as example/echo.cpp does.
//
//   brood-bare PORT CHILDREN      prints the port; 0 takes a free one
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

[[noreturn]] void serve(int listener) {
  char buffer[4096 + 16];
  const int prefix = std::snprintf(buffer, sizeof buffer, "%d: ", ::getpid());
  for (;;) {
    const int connection = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    ssize_t size = 0;
    while ((size = ::read(connection, buffer + prefix, 4096)) > 0)
      if (::write(connection, buffer, static_cast<std::size_t>(prefix + size)) < 0) break;
    ::close(connection);
  }
}

int fail(const char* what) {
  std::perror(what);
  return EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: brood-bare PORT CHILDREN\n", stderr);
    return 64;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
