// SPDX-License-Identifier: MIT
#include "parent/failures/crash_reports.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/crash/crash_journal.hpp"
#include "base/crash/stack_names.hpp"
#include "base/signals.hpp"
#include "base/spawner.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

constexpr std::chrono::seconds longest_report{10};
constexpr std::size_t most_waiting = 16;

void log_crash(const Crash& crash) {
  for (const auto& line : describe(crash)) log_warning(text("child ", crash.pid, ": ", line));
}

Descriptor open_journal(const CrashReports::Place& place) {
  if (place.journal.empty()) return {};
  try {
    return open_crash_journal(place.journal, place.readers);
  } catch (const Error& error) {
    log_warning(
        text("broodctl crashes will not know of a child that has ended: ", std::string_view(error.what())));
  }
  return {};
}

// It has nothing of the parent's, and goes on without it: the last crash may be why the server has ended.
int report(const CrashReports::Place& place, std::vector<Crash>& crashes) {
  end_process_after(longest_report);
  const Descriptor journal = open_journal(place);
  place.process.give_up_all();
  for (Crash& crash : crashes) {
    name_stack(crash);
    log_crash(crash);
    if (journal) append_to_journal(journal, crash);
  }
  return 0;
}

}  // namespace

void CrashReports::note(Crash crash) {
  if (waiting_.size() < most_waiting)
    waiting_.push_back(std::move(crash));
  else
    ++left_out_;
}

void CrashReports::begin(const Place& place, Time now) {
  reported_ = std::exchange(waiting_, {});
  if (const unsigned more = std::exchange(left_out_, 0); more > 0)
    log_warning(text("and ", more, " more children were ended by signals; their stacks are not logged"));
  deadline_ = now + longest_report;
  pid_ = spawn([&] { return report(place, reported_); });
  if (pid_ > 0) return;
  pid_ = 0;
  end_without_names();
}

void CrashReports::end_without_names() {
  for (Crash& crash : std::exchange(reported_, {})) {
    write_frames_without_names(crash);
    log_crash(crash);
  }
}

bool CrashReports::reaped(pid_t pid, int code, int status) {
  if (pid_ == 0 || pid != pid_) return false;
  pid_ = 0;
  if (code != CLD_EXITED || status != 0) end_without_names();
  reported_.clear();
  return true;
}

Time CrashReports::look(const Place& place, Time now) {
  if (pid_ != 0 && now >= deadline_) {
    ::kill(pid_, SIGKILL);
    pid_ = 0;  // nobody waits for its end
    end_without_names();
  }
  if (pid_ == 0 && !waiting_.empty()) begin(place, now);
  return pid_ == 0 ? never : deadline_;
}

}  // namespace brood
