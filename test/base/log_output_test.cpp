// SPDX-License-Identifier: MIT
// Lines for somebody who does not read: nothing waits, nothing is torn without a mark, and what is lost is
// counted.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/log/line_output.hpp"
#include "base/log/lost_lines.hpp"
#include "base/log/syslog_socket.hpp"

using namespace brood;

namespace {

struct Ends {
  Descriptor read, write;
};

Ends new_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Ends new_stream() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Ends new_terminal() {
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  std::array<char, 64> name{};
  REQUIRE(::ptsname_r(master.get(), name.data(), name.size()) == 0);
  Descriptor terminal(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  return {std::move(master), std::move(terminal)};
}

// What can be read without waiting.
std::string read_all(int descriptor) {
  std::string all;
  std::array<char, 4096> buffer{};
  pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
  while (::poll(&input, 1, 0) == 1) {
    const ssize_t size = ::read(descriptor, buffer.data(), buffer.size());
    if (size <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return all;
}

// How many lines were taken before one was not.
unsigned fill(const LineOutput& output, const std::string& line) {
  constexpr unsigned most = 1'000'000;
  unsigned taken = 0;
  while (taken < most && output.write(line) == line.size()) ++taken;
  REQUIRE(taken < most);
  CHECK(errno == EAGAIN);
  return taken;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// 0: it did what it should. In a process that may not open what belongs to root.
int as_nobody(int (*body)(int), int descriptor) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setsid() < 0) ::_exit(98);
    ::ioctl(descriptor, TIOCSCTTY, 0);  // if it is a terminal
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(99);
    ::_exit(body(descriptor));
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("lines for a reader that stands still are refused, and the flags of the descriptor stay") {
  const std::string line = std::string(99, 'x') + '\n';
  for (auto* const make : {new_pipe, new_stream, new_terminal}) {
    const Ends ends = make();
    const LineOutput output(ends.write.get());
    const unsigned taken = fill(output, line);
    CHECK(taken > 10);
    CHECK((::fcntl(ends.write.get(), F_GETFL) & O_NONBLOCK) == 0);
    CHECK(count(read_all(ends.read.get()), std::string(99, 'x')) >= taken);
    CHECK(output.write("again\n") == 6);
    CHECK(read_all(ends.read.get()).ends_with(make == new_terminal ? "again\r\n" : "again\n"));
  }
}

TEST_CASE("a pipe or a terminal that cannot be opened once more does not hold up its writer") {
  if (::geteuid() != 0) return;
  for (auto* const make : {new_pipe, new_terminal}) {
    const Ends ends = make();
    CHECK(as_nobody(
              [](int descriptor) {
                ::alarm(20);
                const LineOutput output(descriptor);
                for (int i = 0; i < 1'000'000; ++i)
                  if (output.write("a line of some bytes\n") == 0) return errno == EAGAIN ? 0 : 1;
                return 2;
              },
              ends.write.get()) == 0);
    CHECK(read_all(ends.read.get()).starts_with("a line of some bytes"));
  }
}

TEST_CASE("a line that was taken in part is told from one that was refused") {
  const Ends ends = new_pipe();
  const LineOutput output(ends.write.get());
  CHECK(output.write(std::string(9'000, 'x') + '\n') == 4096);
  CHECK(output.write("next\n") == 0);
  CHECK(read_all(ends.read.get()) == std::string(4096, 'x'));
}

TEST_CASE("a descriptor that was replaced is noticed") {
  const Ends first = new_pipe();
  const Ends second = new_pipe();
  const LineOutput output(first.write.get());
  CHECK(!output.outdated());
  REQUIRE(::dup2(second.write.get(), first.write.get()) >= 0);
  CHECK(output.outdated());
}

TEST_CASE("lost lines are counted by all processes, and reported once") {
  LostLines lost;
  CHECK(!lost.any());
  lost.add(1'000);
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (int n = 0; n < 1'000; ++n) lost.add(2'000);
      ::_exit(0);
    }
    REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  }
  CHECK(lost.any());
  const auto first = lost.take();
  CHECK(first.lines == 3'001);
  CHECK(first.since == 1'000);
  CHECK(!lost.any());
  lost.add(5'000);
  lost.give_back(first);
  const auto second = lost.take();
  CHECK(second.lines == 3'002);
  CHECK(second.since == 1'000);
}

namespace {

// A syslog daemon, as far as its socket goes.
struct Daemon {
  Daemon(std::string at, int type) : path(std::move(at)), socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    ::unlink(path.c_str());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket.get(), 8) == 0);
  }
  ~Daemon() { ::unlink(path.c_str()); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  std::string receive() const {
    std::array<char, 256> buffer{};
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }

  std::string path;
  Descriptor socket;
};

std::string free_path() {
  std::string path = "/tmp/brood-syslog-XXXXXX";
  const Descriptor file(::mkstemp(path.data()));
  return path;
}

}  // namespace

TEST_CASE("a message to syslog has the header that glibc writes") {
  std::tm local{};
  local.tm_year = 126;
  local.tm_mon = 10;
  local.tm_mday = 3;
  local.tm_hour = 4;
  local.tm_min = 5;
  local.tm_sec = 6;
  CHECK(syslog_header(28, local, "echo", 17) == "<28>Nov  3 04:05:06 echo[17]: ");
  local.tm_mday = 30;
  CHECK(syslog_header(27, local, "a b", 1) == "<27>Nov 30 04:05:06 a b[1]: ");
}

TEST_CASE("a syslog daemon that hangs, ends and comes back") {
  const std::string path = free_path();
  ::unlink(path.c_str());
  SyslogSocket syslog(path);
  CHECK(!syslog.send("nobody is there"));
  {
    const Daemon daemon(path, SOCK_DGRAM);
    CHECK(syslog.send("one"));
    CHECK(daemon.receive() == "one");
    unsigned taken = 0;
    while (taken < 100'000 && syslog.send("more")) ++taken;
    CHECK(taken > 0);
    CHECK(taken < 100'000);
    for (unsigned i = 0; i < taken; ++i) CHECK(daemon.receive() == "more");
    CHECK(daemon.receive().empty());
    CHECK(syslog.send("two"));
    CHECK(daemon.receive() == "two");
  }
  CHECK(!syslog.send("it is gone"));
  const Daemon next(path, SOCK_DGRAM);
  CHECK(syslog.send("three"));
  CHECK(next.receive() == "three");
}

TEST_CASE("a syslog daemon that takes a stream") {
  const Daemon daemon(free_path(), SOCK_STREAM);
  SyslogSocket syslog(daemon.path);
  CHECK(syslog.send("one"));
  CHECK(syslog.send("two"));
  const Descriptor accepted(::accept(daemon.socket.get(), nullptr, nullptr));
  std::array<char, 64> buffer{};
  const ssize_t size = ::recv(accepted.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  REQUIRE(size == 8);
  CHECK(std::string(buffer.data(), 8) == std::string("one\0two\0", 8));
}
