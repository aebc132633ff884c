// SPDX-License-Identifier: MIT
#include "ctl/top/own_command.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "scoreboard/report/words.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace brood::ctl {
namespace {

constexpr std::string_view own_name = "broodctl: ";
constexpr std::size_t most_output = 1 << 20;  // bytes; what comes behind is dropped

class Attributes {
 public:
  // In a group of its own: ^C at the terminal is for the program that shows its answer.
  Attributes() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

}  // namespace

OwnCommand::OwnCommand(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SystemError("create a pipe", errno);
  output_.reset(ends[0]);
  const Descriptor input(ends[1]);
  Attributes with;
  ::posix_spawn_file_actions_addopen(&with.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&with.actions, input.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&with.actions, input.get(), STDERR_FILENO);
  words.insert(words.begin(), "broodctl");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  if (const int error =
          ::posix_spawn(&pid_, "/proc/self/exe", &with.actions, &with.attributes, arguments.data(), environ);
      error != 0)
    throw SystemError("start broodctl", error);
}

bool OwnCommand::read() {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::read(output_.get(), buffer.data(), buffer.size());
  if (size < 0) return false;
  if (size > 0 && received_.size() < most_output)
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  if (size > 0) return false;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  return true;
}

std::vector<std::string> OwnCommand::lines() const {
  std::vector<std::string> lines;
  for (auto line : split(received_, '\n')) {
    if (line.starts_with(own_name)) line.remove_prefix(own_name.size());
    lines.push_back(harmless(line));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace brood::ctl
