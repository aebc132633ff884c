// SPDX-License-Identifier: MIT
// Whoever reads the log stands still: the server serves and stops as before, and says later how many lines
// were lost.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <memory>
#include <regex>

#include "root.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

constexpr unsigned many = 10'000;

// Who reads the log, or does not.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual std::string log() const = 0;  // the setting
  virtual std::function<void()> in_process() { return {}; }

  // What can be read now, with what was read before.
  const std::string& read() {
    pollfd input{.fd = source_.get(), .events = POLLIN, .revents = 0};
    std::array<char, 65'536> buffer{};
    while (::poll(&input, 1, 0) == 1) {
      const ssize_t size = ::read(source_.get(), buffer.data(), buffer.size());
      if (size <= 0) break;
      read_.append(buffer.data(), static_cast<std::size_t>(size));
      if (datagrams_) read_ += '\n';
    }
    return read_;
  }

 protected:
  const TemporaryDirectory place_;
  Descriptor source_;
  bool datagrams_ = false;

 private:
  std::string read_;
};

// Standard error of the server is the other end.
class StandardErrorReader : public Reader {
 public:
  std::string log() const override { return "stderr"; }
  std::function<void()> in_process() override {
    return [this] { ::dup2(write_.get(), STDERR_FILENO); };
  }

 protected:
  void connect(const std::array<int, 2>& ends) {
    source_.reset(ends[0]);
    write_.reset(ends[1]);
  }

 private:
  Descriptor write_;
};

class PipeReader : public StandardErrorReader {
 public:
  PipeReader() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    connect(ends);
  }
};

// As the service manager connects standard error with its journal.
class StreamReader : public StandardErrorReader {
 public:
  StreamReader() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    connect(ends);
  }
};

class FifoReader : public Reader {
 public:
  FifoReader() {
    REQUIRE(::mkfifo(log().c_str(), 0600) == 0);
    source_.reset(::open(log().c_str(), O_RDWR | O_CLOEXEC));
  }
  std::string log() const override { return place_ / "fifo"; }
};

class Terminal : public Reader {
 public:
  Terminal() {
    source_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(::grantpt(source_.get()) == 0);
    REQUIRE(::unlockpt(source_.get()) == 0);
    std::array<char, 64> name{};
    REQUIRE(::ptsname_r(source_.get(), name.data(), name.size()) == 0);
    terminal_.reset(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  }
  std::string log() const override { return "stderr"; }
  std::function<void()> in_process() override {
    return [this] { ::dup2(terminal_.get(), STDERR_FILENO); };
  }

 private:
  Descriptor terminal_;
};

// The server sees a /dev of its own, with our socket for syslog in it.
class SyslogDaemon : public Reader {
 public:
  SyslogDaemon() {
    datagrams_ = true;
    std::filesystem::create_directory(place_ / "dev");
    source_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = place_ / "dev/log";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(source_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    for (const auto* const name : devices)
      const Descriptor made(::creat((place_ / "dev/" + name).c_str(), 0600));
  }
  std::string log() const override { return "syslog"; }
  std::function<void()> in_process() override {
    return [this] {
      const std::string dev = place_ / "dev";
      bool well =
          ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
      for (const auto* const name : devices)
        well = well && ::mount(("/dev/" + std::string(name)).c_str(), (dev + "/" + name).c_str(), nullptr,
                               MS_BIND, nullptr) == 0;
      if (!well || ::mount(dev.c_str(), "/dev", nullptr, MS_BIND | MS_REC, nullptr) != 0) ::_exit(125);
    };
  }

 private:
  static constexpr std::array<const char*, 4> devices = {"null", "zero", "random", "urandom"};
};

std::vector<std::unique_ptr<Reader>> readers() {
  std::vector<std::unique_ptr<Reader>> all;
  all.push_back(std::make_unique<PipeReader>());
  all.push_back(std::make_unique<StreamReader>());
  all.push_back(std::make_unique<FifoReader>());
  all.push_back(std::make_unique<Terminal>());
  if (!skipped_without_root("a mount namespace")) all.push_back(std::make_unique<SyslogDaemon>());
  return all;
}

// A server whose log is read by `reader` only.
struct LoggingServer {
  explicit LoggingServer(Reader& reader, const std::vector<std::string>& more = {})
      : address("unix:" + (place / "socket")),
        server(arguments(address, reader, more),
               {.listen = false, .log = false, .wait_ready = false, .in_process = reader.in_process()}) {
    REQUIRE(eventually([&] { return answers(address, "echo hello", "hello"); }));
  }
  static std::vector<std::string> arguments(const std::string& address, const Reader& reader,
                                            const std::vector<std::string>& more) {
    auto all = pool(4);
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), {"--listen=" + address, "--log=" + reader.log(), "--log-level=warning"});
    return all;
  }

  const TemporaryDirectory place;
  const std::string address;
  ServerProcess server;
};

// The lines that are reported as lost.
unsigned long long lost_lines(const std::string& log) {
  unsigned long long sum = 0;
  const std::regex report("the log took no lines for [0-9a-z.]+; lost: ([0-9]+)");
  for (std::sregex_iterator found(log.begin(), log.end(), report), end; found != end; ++found)
    sum += std::stoull((*found)[1].str());
  return sum;
}

unsigned long long count(const std::string& text, const std::string& part) {
  unsigned long long found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

}  // namespace

TEST_CASE("a log that takes no lines: clients are served, and SIGTERM ends the server" *
          doctest::test_suite("slow")) {
  for (const auto& reader : readers()) {
    CAPTURE(reader->log());
    LoggingServer logging(*reader);
    unsigned answered = 0;
    for (unsigned i = 0; i < many; ++i) {
      Client client(logging.address);
      client.send("log a line that nobody reads, of a length that fills a pipe soon\necho on\nthrow it\n");
      if (client.line() == "logged" && client.line() == "on" && client.ending() == Ending::closed) ++answered;
    }
    CHECK(answered == many);
    logging.server.signal(SIGTERM);
    CHECK(logging.server.wait_exit() == exited(0));
  }
}

TEST_CASE("a log that takes no lines: children are replaced") {
  PipeReader reader;
  LoggingServer logging(reader);
  for (unsigned i = 0; i < 2'000; ++i)
    Client(logging.address).ask("log a line that nobody reads, of some length");
  const auto before = logging.server.children();
  const auto all_are_new = [&] {
    const auto now = logging.server.children();
    return std::ranges::none_of(before, [&](pid_t pid) { return std::ranges::count(now, pid) > 0; });
  };
  CHECK(eventually([&] {
    Client client(logging.address);
    client.send("exit 3\n");
    client.ending();
    return all_are_new();
  }));
  CHECK(eventually([&] { return answers(logging.address, "echo hello", "hello"); }));
}

TEST_CASE("lost lines are counted, and reported when the log takes lines again") {
  for (const auto& reader : readers()) {
    CAPTURE(reader->log());
    LoggingServer logging(*reader);
    constexpr unsigned clients = 2, lines = many / clients;
    std::vector<Client> all;
    for (unsigned i = 0; i < clients; ++i) all.emplace_back(logging.address);
    for (unsigned i = 0; i < lines; ++i)
      for (auto& client : all) CHECK(client.ask("log a line like many others") == "logged");
    reader->read();
    CHECK(Client(logging.address).ask("log the last one") == "logged");
    REQUIRE(eventually([&] { return count(reader->read(), "the last one") == 1; }));
    const std::string log = reader->read();
    const auto lost = lost_lines(log);
    CHECK(lost > 0);
    const std::regex whole("a line like many others\r?\n");
    const auto taken =
        std::distance(std::sregex_iterator(log.begin(), log.end(), whole), std::sregex_iterator());
    CHECK(static_cast<unsigned long long>(taken) + lost == many);
  }
}

TEST_CASE("syslog gets the facility and the identity of the settings") {
  if (skipped_without_root("a mount namespace")) return;
  SyslogDaemon daemon;
  LoggingServer logging(daemon, {"--syslog-facility=local3", "--syslog-identity=shop"});
  CHECK(Client(logging.address).ask("log here") == "logged");
  const std::regex line("<156>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} shop\\[[0-9]+\\]: here\n");
  CHECK(eventually([&] { return std::regex_search(daemon.read(), line); }));
}

TEST_CASE("a log file that has reached the limit of its size costs no child its life") {
  ServerProcess server(pool(2));
  auto limited = server.children();
  limited.push_back(server.pid());
  const rlimit limit{.rlim_cur = 65'536, .rlim_max = RLIM_INFINITY};
  for (const pid_t pid : limited) REQUIRE(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) == 0);
  Client client = server.connect();
  const pid_t child = client.child();
  for (unsigned i = 0; i < 2'000; ++i) CHECK(client.ask("log a line of some bytes") == "logged");
  CHECK(client.child() == child);
  CHECK(server.log().size() == 65'536);
  server.signal(SIGTERM);
  client.close();
  CHECK(server.wait_exit() == exited(0));
}

TEST_CASE("signals that nobody asked for end no child") {
  const ServerProcess server(pool(1));
  const pid_t child = server.connect().child();
  for (const int signal : {SIGXFSZ, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR2, SIGPOLL, SIGPWR, SIGSTKFLT,
                           SIGRTMIN, SIGRTMAX}) {
    CAPTURE(signal);
    REQUIRE(::kill(child, signal) == 0);
    CHECK(server.connect().child() == child);
  }
}
