// SPDX-License-Identifier: MIT
// A server in a process of its own, for the length of a scope.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/address.hpp"
#include "base/clock.hpp"
#include "base/descriptor_io.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/testing.hpp"
#include "program/testing/conversation.hpp"

namespace brood::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto start_time = 60s;
constexpr auto stop_time = 10s;
constexpr auto look_interval = 2ms;

std::string content(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_all(file, path.c_str()) : "";
}

// `setting`: "NAME=VALUE". For the whole server or, as "--SERVICE.NAME", for one of its services.
bool is_given(const std::vector<std::string>& arguments, std::string_view setting) {
  const std::string_view name = setting.substr(0, setting.find('='));
  return std::ranges::any_of(arguments, [name](std::string_view word) {
    word = word.substr(0, word.find('='));
    return word == text("--", name) || word.ends_with(text(".", name));
  });
}

// What follows `before` in the text, up to one of `ends`.
std::string_view after(std::string_view text, std::string_view before, std::string_view ends) {
  const auto at = text.find(before);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find_first_of(ends));
}

}  // namespace

class Running::Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "brood-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw SystemError("make a directory like " + pattern, errno);
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  const std::string& path() const { return path_; }
  std::string log() const { return path_ + "/log"; }
  std::string printed() const { return path_ + "/printed"; }

 private:
  std::string path_;
};

Running::Running(ServerBase& server, std::vector<std::string> arguments)
    : Running([&server](int argc, char** argv) { return server.run(argc, argv); }, std::move(arguments)) {}

Running::Running(const std::function<int(int, char**)>& main, std::vector<std::string> arguments)
    : directory_(std::make_unique<Directory>()) {
  std::vector<std::string> words = {"server", "--runtime-directory=" + directory_->path(),
                                    "--log=" + directory_->log()};
  for (const char* setting : {"listen=127.0.0.1:0", "start-servers=1", "min-spare-servers=1"})
    if (!is_given(arguments, setting)) words.push_back(text("--", std::string_view(setting)));
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t test = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw SystemError("fork the server", errno);
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != test) ::_exit(1);
    ::dup2(::open(directory_->printed().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
           STDERR_FILENO);
    ::_exit(main(static_cast<int>(argv.size()) - 1, argv.data()));
  }
  ::setpgid(pid_, pid_);  // here too: either may be first
  wait_until_ready();
}

Running::~Running() {
  stop();
  ::kill(-pid_, SIGKILL);  // what a handler may have left
}

void Running::wait_until_ready() {
  for (const Time end = Clock::now() + start_time; Clock::now() < end;
       std::this_thread::sleep_for(look_interval)) {
    const std::string log = this->log();
    const auto line = after(log, " info: ready: ", "\n");
    if (!line.empty() && log.find('\n', log.find(line)) != std::string::npos) {
      address_ = after(line, " on ", ", ");
      scoreboard_ = after(line, ", scoreboard ", "\n");
      return;
    }
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) fail("it has ended");
  }
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
  fail("it is not ready");
}

void Running::fail(const std::string& what) const {
  throw Error(text("testing: the server did not start: ", what, "\n", content(directory_->printed()), log()));
}

std::uint16_t Running::port() const {
  const auto colon = address_.rfind(':');
  return colon == std::string::npos || address_.starts_with("unix:")
             ? std::uint16_t{0}
             : static_cast<std::uint16_t>(std::stoul(address_.substr(colon + 1)));
}

std::string Running::log() const { return content(directory_->log()); }

std::string Running::exchange(std::string_view input) const {
  const SocketAddress to = resolve(parse_listen(address_)).at(0);
  const Descriptor socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw SystemError("socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0)
    throw SystemError("connect to " + address_, errno);
  return converse(socket, input);
}

int Running::stop() {
  if (status_ < 0) {
    ::kill(pid_, SIGTERM);
    pid_t ended = 0;
    for (const Time end = Clock::now() + stop_time; ended == 0 && Clock::now() < end;) {
      ended = ::waitpid(pid_, &status_, WNOHANG);
      if (ended == 0) std::this_thread::sleep_for(look_interval);
    }
    if (ended == 0) {
      ::kill(-pid_, SIGKILL);
      ::waitpid(pid_, &status_, 0);
    }
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

}  // namespace brood::testing
