// SPDX-License-Identifier: MIT
#include "settings/readings.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/descriptor_io.hpp"
#include "base/process.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

int look_up_in_process(const std::function<void()>& look_up, const Descriptor& memory,
                       std::chrono::milliseconds timeout, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return static_cast<int>(ExitCode::left);
  end_process_after(timeout);
  Lookups known;
  const RecordLookups record(known);
  try {
    look_up();
  } catch (...) {  // NOLINT(bugprone-empty-catch): the parent will meet the same mistake
  }
  write_all(memory, known.records(), "write what was looked up");
  return static_cast<int>(ExitCode::left);
}

}  // namespace

bool Readings::waits(std::string_view name) const {
  return std::ranges::find(waiting_, name, &Reading::name) != waiting_.end();
}

void Readings::add(Reading reading, Time now) {
  waiting_.push_back(std::move(reading));
  begin_next(now);
}

void Readings::begin_next(Time now) {
  if (under_way() || waiting_.empty()) return;
  reading_ = std::move(waiting_.front());
  waiting_.pop_front();
  failure_.clear();
  memory_.reset(::memfd_create("brood-lookups", MFD_CLOEXEC));
  pid_ = memory_ ? spawn([this, parent = ::getpid()] {
    return look_up_in_process(reading_.look_up, memory_, timeout_, parent);
  })
                 : -1;
  deadline_ = now + timeout_;
  if (pid_ > 0) return;
  failure_ = SystemError("start a process that reads the settings", errno).what();
  ended_ = true;
}

bool Readings::reaped(pid_t pid, int code, int status) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  ended_ = true;
  if (code != CLD_EXITED || status != 0)
    failure_ = "the process that reads the settings " + how_it_ended(code, status);
  return true;
}

// The reading may add others, or cancel all.
void Readings::end(const std::string& failure) {
  const Reading reading = std::exchange(reading_, {});
  const Descriptor memory = std::move(memory_);
  pid_ = 0;
  ended_ = false;
  if (!failure.empty()) return reading.then(failure);
  Lookups known;
  try {
    known = Lookups(read_all(memory, "read what was looked up"));
  } catch (const Error& error) {
    return reading.then(error.what());
  }
  const RepeatLookups repeat(known);
  reading.then("");
}

void Readings::look(Time now) {
  if (pid_ > 0 && now >= deadline_) {
    // Not even SIGKILL ends a process that waits for a disk: nobody waits for its end.
    ::kill(pid_, SIGKILL);
    end(text("reading the settings took longer than ", timeout_));
    begin_next(now);
  }
  while (ended_) {
    end(std::exchange(failure_, {}));
    begin_next(now);
  }
}

void Readings::cancel() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  pid_ = 0;
  ended_ = false;
  memory_.reset();
  reading_ = {};
  waiting_.clear();
}

}  // namespace brood
