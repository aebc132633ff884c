// SPDX-License-Identifier: MIT
#include "models/connection_program.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/exec_words.hpp"
#include "base/process.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/connection_environment.hpp"

namespace brood {
namespace {

// The mask of this thread, all blocked meanwhile: no handler of the child's runs in what is to become the
// program.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

// In the new process, which has one thread of the child's: no lock may be taken here, and so nothing
// allocated. It is not to outlive the child, which answers for it: a child that is killed takes it along.
[[noreturn]] void become_program(char* const* arguments, char* const* environment, int socket, int failure,
                                 pid_t child) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child) ::_exit(0);
  if (::dup2(socket, STDIN_FILENO) >= 0 && ::dup2(socket, STDOUT_FILENO) >= 0) {
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    default_signals();
    ::execve(arguments[0], arguments, environment);
  }
  const int error_number = errno;
  [[maybe_unused]] const auto written = ::write(failure, &error_number, sizeof error_number);
  ::_exit(127);
}

pid_t start(const ServiceCommand& command, const std::vector<std::string>& environment, int socket) {
  const ExecWords arguments(command.words), variables(environment);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(SystemError("pipe", errno).what());
  const Descriptor told(ends[0]);
  Descriptor tells(ends[1]);
  const pid_t child = ::getpid();
  pid_t pid = -1;
  {
    const SignalsBlocked blocked;
    pid = ::fork();
    if (pid == 0) become_program(arguments.get(), variables.get(), socket, tells.get(), child);
  }
  if (pid < 0) throw Error(SystemError("fork", errno).what());
  tells.reset();
  int error_number = 0;
  ssize_t got = 0;
  while ((got = ::read(told.get(), &error_number, sizeof error_number)) < 0 && errno == EINTR) {
  }
  if (got != sizeof error_number) return pid;
  ::waitpid(pid, nullptr, 0);
  throw ConfigurationError(SystemError("run command " + command.program(), error_number).what());
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

void ConnectionProgram::handle_connection(Connection& connection) {
  const int socket = connection.descriptor();
  const pid_t pid = start(command_, connection_environment(socket, service_, connection.listener()), socket);
  connection.note(text("pid ", pid));
  const int status = wait_for(pid);
  if (status == 0) return;
  const std::string how = WIFSIGNALED(status) ? how_it_ended(CLD_KILLED, WTERMSIG(status))
                                              : how_it_ended(CLD_EXITED, WEXITSTATUS(status));
  throw Error(text("command ", command_.program(), " ", how));
}

}  // namespace brood
