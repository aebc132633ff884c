// SPDX-License-Identifier: MIT
#include "models/programs/connection_program.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/process.hpp"
#include "base/process/exec_words.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/programs/become_program.hpp"
#include "models/programs/connection_environment.hpp"
#include "models/signal_mask.hpp"

namespace brood {
namespace {

// In the new process. The child may have threads, which do not exist here and may hold locks: so nothing is
// allocated. If the child is killed, the program is killed with it.
[[noreturn]] void run_in_new_process(char* const* arguments, char* const* environment, int socket, int errors,
                                     int failure, pid_t child) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != child) ::_exit(0);
  if (::dup2(socket, STDIN_FILENO) >= 0 && ::dup2(socket, STDOUT_FILENO) >= 0 &&
      (errors < 0 || ::dup2(errors, STDERR_FILENO) >= 0)) {
    close_at_exec(STDERR_FILENO + 1);
    default_signals();
    ::execve(arguments[0], arguments, environment);
  }
  const int error_number = errno;
  [[maybe_unused]] const auto written = ::write(failure, &error_number, sizeof error_number);
  ::_exit(127);
}

pid_t start(const ServiceCommand& command, const std::vector<std::string>& environment, int socket,
            int errors) {
  const ExecWords arguments(command.words), variables(environment);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Error(SystemError("pipe", errno).what());
  const Descriptor failure(ends[0]);  // closed by exec(); otherwise the error number comes
  Descriptor failure_in(ends[1]);
  const pid_t child = ::getpid();
  pid_t pid = -1;
  {
    // No handler of the child's may run in the new process.
    sigset_t all;
    sigfillset(&all);
    const SignalMask blocked(all);
    pid = ::fork();
    if (pid == 0)
      run_in_new_process(arguments.get(), variables.get(), socket, errors, failure_in.get(), child);
  }
  if (pid < 0) throw Error(SystemError("fork", errno).what());
  failure_in.reset();
  int error_number = 0;
  ssize_t got = 0;
  while ((got = ::read(failure.get(), &error_number, sizeof error_number)) < 0 && errno == EINTR) {
  }
  if (got != sizeof error_number) return pid;
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  throw_not_run(command, error_number);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

void run_connection_program(const ServiceCommand& command, const std::string& service, int errors,
                            Connection& connection) {
  const int socket = connection.descriptor();
  const pid_t pid = start(command, connection_environment(connection, service), socket, errors);
  connection.note(text("pid ", pid));
  const int status = wait_for(pid);
  const auto& good = command.success_codes;
  if (WIFEXITED(status) && std::ranges::find(good, static_cast<unsigned>(WEXITSTATUS(status))) != good.end())
    return;
  const std::string how = WIFSIGNALED(status) ? how_it_ended(CLD_KILLED, WTERMSIG(status))
                                              : how_it_ended(CLD_EXITED, WEXITSTATUS(status));
  throw Error(text("command ", command.program(), " ", how));
}

}  // namespace brood
