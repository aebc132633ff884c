// SPDX-License-Identifier: MIT
// Lines of a FIFO that several processes read, some of which are killed: each is whole, and there once.
#include "models/line_reader.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <set>
#include <string>
#include <utility>

#include "brood/descriptor.hpp"

using namespace brood;

namespace {

constexpr unsigned lines = 10'000;
const std::string last = "last\n";

// Some are as long as a writer can write in one piece.
std::string line(unsigned number) {
  const std::string text = std::to_string(number) + '-';
  const std::size_t most = PIPE_BUF - 1 - text.size();
  const std::size_t size = number % 5 == 0 ? most : number * 37 % 100;
  return text + std::string(size, static_cast<char>('a' + number % 26)) + '\n';
}

template <typename Body>
pid_t in_child(const Body& body) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) body();
  ::_exit(0);
}

// Tells each line that it takes in one packet, which a kill does not tear.
void read_lines(int fifo, int told) {
  LineReader reader;
  for (;;) {
    pollfd input{.fd = fifo, .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, -1) < 0) return;
    const auto taken = reader.read(fifo);
    if (!taken) continue;
    if (*taken == last) return;
    if (::send(told, taken->data(), taken->size(), 0) < 0) return;
  }
}

struct Pair {
  Descriptor one, other;
};

Pair fifo() {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Descriptor read_only(ends[0]);
  // For reading and writing, as a FIFO is opened: a lock for writing needs that.
  const std::string path = "/proc/self/fd/" + std::to_string(ends[0]);
  Descriptor both(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(both);
  return {std::move(both), Descriptor(ends[1])};
}

Pair packets() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

TEST_CASE("readers of a FIFO that are killed at any moment tear no line, and each takes one along at most") {
  const Pair work = fifo(), records = packets();
  const auto write_all = [&](const std::string& text) {
    return ::write(work.other.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  };
  const auto start_reader = [&] {
    return in_child([&] { read_lines(work.one.get(), records.other.get()); });
  };
  std::array<pid_t, 4> readers{};
  for (pid_t& reader : readers) reader = start_reader();
  const pid_t writer = in_child([&] {
    for (unsigned i = 0; i < lines; ++i)
      if (!write_all(line(i))) ::_exit(1);
  });

  std::multiset<std::string> told;
  const auto receive = [&](int time) {
    pollfd input{.fd = records.one.get(), .events = POLLIN, .revents = 0};
    if (::poll(&input, 1, time) <= 0) return false;
    std::array<char, PIPE_BUF> record{};
    const ssize_t size = ::recv(records.one.get(), record.data(), record.size(), 0);
    if (size > 0) told.emplace(record.data(), static_cast<std::size_t>(size));
    return size > 0;
  };
  unsigned kills = 0;
  int status = -1;
  for (bool writing = true; writing;) {
    // Some lines later: a busy machine may need longer to take one than to kill a reader.
    for (unsigned taken = 0; writing && taken <= kills % 30;) {
      if (receive(5)) ++taken;
      writing = ::waitpid(writer, &status, WNOHANG) == 0;
    }
    pid_t& victim = readers[kills++ % readers.size()];
    ::kill(victim, SIGKILL);
    REQUIRE(::waitpid(victim, nullptr, 0) == victim);
    victim = start_reader();
  }
  CHECK(status == 0);
  // What is left is taken in peace.
  for (std::size_t i = 0; i < readers.size(); ++i) REQUIRE(write_all(last));
  const auto ended = [&] {
    for (pid_t& reader : readers)
      if (reader != 0 && ::waitpid(reader, nullptr, WNOHANG) == reader) reader = 0;
    return readers == std::array<pid_t, 4>{};
  };
  while (!ended()) receive(1);
  while (receive(0)) {
  }

  unsigned torn = 0, twice = 0;
  std::set<std::string> expected;
  for (unsigned i = 0; i < lines; ++i) expected.insert(line(i));
  for (const auto& each : told) {
    if (!expected.contains(each)) ++torn;
    if (told.count(each) > 1) ++twice;
  }
  CHECK(torn == 0);
  CHECK(twice == 0);
  CHECK(told.size() <= lines);
  CHECK(told.size() + kills >= lines);
  MESSAGE(kills << " readers killed, " << lines - told.size() << " lines lost with them");
}

TEST_CASE("a line is taken whole, one after the other, and what lacks its end is waited for") {
  const Pair work = fifo();
  LineReader reader;
  const auto write_all = [&](const std::string& text) {
    REQUIRE(::write(work.other.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  };
  const auto take = [&] {
    const auto taken = reader.read(work.one.get());
    return taken ? std::string(*taken) : std::string("nothing");
  };
  CHECK(take() == "nothing");
  write_all("one\ntwo\n\nfour");
  CHECK(take() == "one\n");
  CHECK(take() == "two\n");
  CHECK(take() == "\n");
  CHECK(take() == "four");
  CHECK(take() == "nothing");
  write_all(line(5) + line(10) + std::string(PIPE_BUF + 3, 'x') + "\n");
  CHECK(take() == line(5));
  CHECK(take() == line(10));
  CHECK(take() == std::string(PIPE_BUF, 'x'));
  CHECK(take() == "xxx\n");
}
