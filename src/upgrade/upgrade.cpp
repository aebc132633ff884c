// SPDX-License-Identifier: MIT
#include "upgrade/upgrade.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/process.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "upgrade/give_back.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

constexpr auto step_timeout = 10s;
constexpr off_t longest_output = 64 << 10;
constexpr std::size_t most_lines = 20;

// Not a pipe: nobody would read it while the parent sleeps. The size is fixed, so that a write() of too much
// fails.
Descriptor memory_for_output() {
  Descriptor memory(::memfd_create("brood-upgrade", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory || ::ftruncate(memory.get(), longest_output) != 0 ||
      ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_GROW) != 0)
    throw SystemError("create memory for the output of the new program", errno);
  return memory;
}

std::string written_to(const Descriptor& memory) {
  const off_t size = ::lseek(memory.get(), 0, SEEK_CUR);  // the step's process shares the offset
  std::string content(static_cast<std::size_t>(size > 0 ? size : 0), '\0');
  const ssize_t got = ::pread(memory.get(), content.data(), content.size(), 0);
  content.resize(static_cast<std::size_t>(got > 0 ? got : 0));
  return content;
}

bool has_line(std::string_view output, std::string_view prefix) {
  for (const auto line : split(output, '\n'))
    if (line.starts_with(prefix)) return true;
  return false;
}

constexpr std::string_view rehearsed = "rehearsed ";

// In the environment of the first step.
constexpr const char* test_variable = "BROOD_UPGRADE";

// In the process of a step.
int run_step(const Executable& program, const Descriptor& output, std::span<const std::string> more,
             const Descriptor& handover, std::span<const int> kept, pid_t parent) {
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO})
    if (::dup2(output.get(), standard) < 0) return static_cast<int>(ExitCode::sick);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // can't fail with a valid signal
  if (::getppid() != parent) return static_cast<int>(ExitCode::left);
  ::setpgid(0, 0);  // can't fail: it leads no session
  unblock_all_signals();
  try {
    program.become(more, handover ? variable_for(handover, ::getpid()) : test_variable + "=test"s, kept);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::fflush(stderr);
    return static_cast<int>(ExitCode::configuration);
  }
}

}  // namespace

bool is_upgrade_test() {
  return ::getenv(test_variable) != nullptr;  // NOLINT(concurrency-mt-unsafe): nobody sets it
}

std::string rehearsed_line(std::size_t services, std::size_t children) {
  return text(rehearsed, services, " service(s), ", children, " children");
}

void Upgrade::begin(Time now) {
  if (under_way()) return log_info("upgrade: one is under way already");
  log_info(text("upgrade: testing ", program_.path()));
  refused_.clear();
  start(Step::test, now);
}

void Upgrade::start(Step step, Time now) {
  step_ = step;
  deadline_ = now + step_timeout;
  overdue_ = false;
  try {
    output_ = memory_for_output();
    std::vector<std::string> more;
    Descriptor handover;
    std::vector<int> kept;
    if (step == Step::test) {
      more.emplace_back("--test-config");
    } else {
      Handover copy = hand_over_();
      kept = descriptors_of(copy);
      copy.emplace_back(rehearsal_kind);
      handover = write_handover(copy);
    }
    pid_ =
        spawn([&, parent = ::getpid()] { return run_step(program_, output_, more, handover, kept, parent); });
    if (pid_ < 0) throw SystemError("fork", errno);
    // Also here, so that the group exists when it is killed. It fails if the step was first.
    ::setpgid(pid_, pid_);
  } catch (const std::exception& error) {
    pid_ = 0;
    refuse(error.what());
  }
}

void Upgrade::refuse(std::string_view why) {
  refused_ = why;
  log_error(text("upgrade refused: ", why));
  step_ = Step::none;
  pid_ = 0;
  output_.reset();
}

void Upgrade::cancel(std::string_view why) {
  if (!under_way()) return;
  // With what it has started: it may be a script. reap() finds it to be nobody's.
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
  refuse(why);
}

std::string_view Upgrade::name() const { return step_ == Step::test ? "--test-config" : "its rehearsal"; }

std::string Upgrade::log_output() const {
  const std::string output = written_to(output_);
  std::string first;
  std::size_t lines = 0;
  for (const auto line : split(output, '\n')) {
    if (line.empty() || lines++ >= most_lines) continue;
    if (first.empty()) first = line;
    log_error(text("upgrade: ", name(), " says: ", line));
  }
  return first;
}

bool Upgrade::reaped(pid_t pid, int code, int status, Time now) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  const bool good = code == CLD_EXITED && status == 0;
  // A program that ignores what it was given may end with 0, too.
  const bool understood = step_ == Step::test || has_line(written_to(output_), rehearsed);
  if (good && understood) {
    advance(now);
    return true;
  }
  const std::string first = log_output();
  refuse(text(program_.path(), ": ", name(), ' ',
              overdue_ ? text("took longer than ", step_timeout)
              : good   ? std::string("ended without having read what is handed over")
                       : how_it_ended(code, status),
              first.empty() ? "" : ": " + first));
  return true;
}

void Upgrade::advance(Time now) {
  if (step_ == Step::test) return start(Step::rehearsal, now);
  step_ = Step::ready;
  output_.reset();
}

Time Upgrade::look(Time now) {
  if (step_ == Step::ready) {
    try {
      Handover handover = hand_over_();
      [[maybe_unused]] const Descriptor image = allow_give_back(handover);  // open until the new program runs
      const Descriptor memory = write_handover(handover);
      log_info(text("upgrade: executing ", program_.path()));
      program_.become({}, variable_for(memory, ::getpid()), descriptors_of(handover));
    } catch (const std::exception& error) {
      refuse(error.what());
    }
  }
  if (step_ == Step::none || overdue_) return never;
  if (now < deadline_) return deadline_;
  overdue_ = true;
  ::kill(-pid_, SIGKILL);  // can't fail: it is of this user, and was not reaped yet
  return never;
}

}  // namespace brood
