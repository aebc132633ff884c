// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "waiting.hpp"

namespace brood::bench {
namespace {

[[noreturn]] void become(const ServiceCommand& command, std::vector<char*>& words, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_DFL);
  if (!command.output.empty()) {
    const int output = ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    if (output < 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0) ::_exit(127);
  }
  if (command.before_exec) {
    command.before_exec();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user clears it
  }
  ::execvp(words.front(), words.data());
  ::_exit(127);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "brood-bench.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

void end_orphans(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  for (const pid_t pid : pids)
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string neighbour(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

bool is_built(const std::string& name) { return ::access(neighbour(name).c_str(), X_OK) == 0; }

Program::Program(const ServiceCommand& command) {
  std::vector<std::string> copies = command.words;
  std::vector<char*> words;
  std::transform(copies.begin(), copies.end(), std::back_inserter(words),
                 [](std::string& word) { return word.data(); });
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(command, words, parent);
}

Program::~Program() { kill(); }

void Program::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap(0);
}

Program::Program(Program&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

void Program::signal(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

bool Program::reap(int flags) {
  if (pid_ < 0) return true;
  pid_t reaped = 0;
  do reaped = ::waitpid(pid_, &status_, flags);
  while (reaped < 0 && errno == EINTR);
  if (reaped != pid_) return false;
  pid_ = -1;
  return true;
}

bool Program::running() { return !reap(WNOHANG); }

std::optional<int> Program::wait(std::chrono::nanoseconds patience) {
  if (!wait_until([this] { return reap(WNOHANG); }, patience)) return {};
  return status_;
}

}  // namespace brood::bench
