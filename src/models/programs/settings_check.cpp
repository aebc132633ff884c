// SPDX-License-Identifier: MIT
#include "models/programs/settings_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/lookup/lookups.hpp"
#include "base/process.hpp"
#include "base/process/exec_words.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/descriptor.hpp"
#include "brood/error.hpp"
#include "child/privileges.hpp"
#include "models/programs/become_program.hpp"
#include "models/programs/child_handover.hpp"

namespace brood {
namespace {

constexpr std::size_t most_lines = 10, most_bytes = 16384;
constexpr int not_run = static_cast<int>(ExitCode::configuration);

void set_variable(const char* variable, const std::string& value) {
  ::setenv(variable, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is one thread only
}

void put_standard_in_place(int errors) {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO})
    if (nothing) ::dup2(nothing.get(), standard);
  if (::dup2(errors, STDERR_FILENO) < 0) throw SystemError("change standard error", errno);
}

// In the new process: as a child of the service enters (child/child_main.hpp), but without a slot.
int become_check(const SettingsCheck& check, int errors, pid_t parent) {
  try {
    put_standard_in_place(errors);
    ::setpgid(0, 0);  // can't fail: it leads no session
    leave_environment(check.process);
    set_variables_of(check.identity);
    put_in_force(check.process);
    drop_privileges(check.identity, check.no_new_privileges);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which clears it
    if (::getppid() != parent) return not_run;
    set_variable("BROOD_SERVICE", check.service);
    if (check.as_child) set_variable(child_variable, checked_as_child);
    close_at_exec(STDERR_FILENO + 1);
    default_signals();
    ::execve(check.words.front().c_str(), ExecWords(check.words).get(), environ);
    throw SystemError("can't be run", errno);
  } catch (const Error& error) {
    ::dprintf(STDERR_FILENO, "%s: %s\n", check.words.front().c_str(), error.what());
  }
  return not_run;
}

// What has come. True: nothing comes any more.
bool read_errors(int from, std::string& to) {
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    if (size == 0) return true;
    if (size < 0) return errno != EAGAIN && errno != EINTR;
    to.append(buffer.data(), std::min(static_cast<std::size_t>(size), most_bytes - to.size()));
  }
}

class CheckProcess {
 public:
  explicit CheckProcess(const SettingsCheck& check) : program_(check.words.front()) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw SystemError("pipe", errno);
    errors_.reset(ends[0]);
    const Descriptor errors_in(ends[1]);
    ::fcntl(errors_in.get(), F_SETFL, 0);  // the program expects a blocking one
    pid_ = spawn([&, parent = ::getpid()] { return become_check(check, errors_in.get(), parent); });
    if (pid_ < 0) throw SystemError("fork", errno);
    ::setpgid(pid_, pid_);  // also here, so that the group exists when it is killed
    ended_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!ended_) throw SystemError("pidfd_open", errno);
  }
  CheckProcess(const CheckProcess&) = delete;
  CheckProcess& operator=(const CheckProcess&) = delete;
  ~CheckProcess() { end(); }

  // Returns what it has written. Throws ConfigurationError: it takes too long.
  std::string wait(std::chrono::milliseconds timeout) {
    std::string written;
    const Time deadline = Clock::now() + timeout;
    std::array<pollfd, 2> waits{{{ended_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};
    while (waits[0].revents == 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) throw ConfigurationError(text(program_, " took longer than ", timeout));
      if (::poll(waits.data(), waits.size(), static_cast<int>(left.count())) < 0 && errno != EINTR)
        throw SystemError("poll", errno);
      if (waits[1].revents != 0 && read_errors(errors_.get(), written)) waits[1].fd = -1;
    }
    read_errors(errors_.get(), written);  // others may still have the pipe: its end is not waited for
    return written;
  }

  // With all that it has started. "": it has ended with 0.
  std::string end() {
    if (pid_ <= 0) return "";
    ::kill(-pid_, SIGKILL);  // it was not reaped: the number is still its own
    siginfo_t info{};
    ProcessUsage usage;
    while (wait_for(pid_, WEXITED, info, usage) != 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (info.si_code == CLD_EXITED && info.si_status == 0) return "";
    return text(program_, ' ', how_it_ended(info.si_code, info.si_status));
  }

 private:
  const std::string program_;
  Descriptor errors_, ended_;
  pid_t pid_ = 0;
};

std::string mistakes_of(const SettingsCheck& check, std::chrono::milliseconds timeout) {
  CheckProcess process(check);
  const std::string written = process.wait(timeout);
  const std::string how = process.end();
  if (how.empty()) return "";
  std::vector<std::string> lines;
  for (const auto line : split(written, '\n'))
    if (!trim(line).empty() && lines.size() < most_lines) lines.push_back(escape(trim(line)));
  return lines.empty() ? how : join(lines);
}

}  // namespace

SettingsCheck check_of(const ServiceCommand& command) {
  const OwnSettings& own = command.own;
  SettingsCheck check;
  if (!own.check_words.empty()) {
    check.words = own.check_words;
    std::ranges::copy(arguments_of(own), std::back_inserter(check.words));
  } else if (own.check.empty() && !own.values.empty() && command.gets() == CommandGets::slot) {
    check.words = command.words;
    check.words.emplace_back("--test-config");
    check.as_child = true;
  }
  return check;
}

void run_settings_check(const SettingsCheck& check, std::chrono::milliseconds timeout) {
  if (check.words.empty()) return;
  const std::string mistakes =
      look_up("check of settings of", check.service, [&] { return mistakes_of(check, timeout); });
  if (!mistakes.empty()) throw ConfigurationError(mistakes);
}

}  // namespace brood
