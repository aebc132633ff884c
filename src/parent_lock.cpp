// SPDX-License-Identifier: MIT
#include "parent_lock.hpp"

#include <csignal>

#include "brood/error.hpp"
#include "brood/log.hpp"
#include "text.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 200ms;  // the lock is held for some hundred nanoseconds
constexpr auto death_takes = 1s;  // from SIGKILL until the kernel has marked the lock

}  // namespace

void ParentLock::change(const std::function<void()>& change) const {
  try {
    if (scoreboard_.under_lock(Clock::now() + patience, change)) return;
    const pid_t holder = scoreboard_.lock_holder();
    if (is_child_(holder)) {
      log_error(text("scoreboard: child ", holder, " has held the lock for ", patience, "; it is killed"));
      ::kill(holder, SIGKILL);
    }
    if (scoreboard_.under_lock(Clock::now() + death_takes, change)) return;
    log_error(
        text("scoreboard: the lock can't be had from process ", holder, "; the parent goes on without it"));
  } catch (const SystemError& error) {
    // Unusable, which no child of ours brings about on purpose. The parent's own records are the truth that
    // it acts on.
    log_error(text(std::string_view(error.what()), "; the parent goes on without the lock"));
  }
  change();
}

}  // namespace brood
