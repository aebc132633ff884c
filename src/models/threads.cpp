// SPDX-License-Identifier: MIT
#include "models/threads.hpp"

#include <cerrno>
#include <csignal>
#include <exception>
#include <future>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/this_child.hpp"
#include "child/child_signals.hpp"
#include "models/signal_mask.hpp"

namespace brood {
namespace {

// What the threads of a child block: all but the signal that interrupts their waits, and the faults, which
// would be lost or would loop.
sigset_t signals_of_threads() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    sigdelset(&blocked, fault);
  sigdelset(&blocked, child_signals::look_again);
  return blocked;
}

}  // namespace

void run_threads(unsigned number, const std::function<void()>& loop) {
  if (number == 1) return loop();
  std::exception_ptr first_failure;
  std::mutex mutex;
  const auto guarded = [&] {
    try {
      loop();
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first_failure) first_failure = std::current_exception();
    }
  };
  // No thread begins before all were started: if one can't be, none may have accepted a connection.
  std::promise<bool> start;
  const std::shared_future<bool> started = start.get_future().share();
  int error_number = 0;
  std::vector<std::jthread> others;
  others.reserve(number - 1);
  try {
    const SignalMask inherited(signals_of_threads());
    while (others.size() + 1 < number)
      others.emplace_back([&guarded, started] {
        const this_child::AlternateStack for_faults;
        if (started.get()) guarded();
      });
  } catch (const std::system_error& error) {
    error_number = error.code().value();
  } catch (const std::bad_alloc&) {
    error_number = ENOMEM;
  }
  start.set_value(error_number == 0);
  if (error_number == 0) guarded();
  others.clear();  // joins
  if (error_number != 0) throw SystemError(text("start ", number, " threads"), error_number, ExitCode::sick);
  if (first_failure) std::rethrow_exception(first_failure);
}

}  // namespace brood
