// SPDX-License-Identifier: MIT
#include "models/threads.hpp"

#include <pthread.h>

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
#include "child/child_signals.hpp"

namespace brood {
namespace {

// What a new thread inherits.
class SignalsForThreads {
 public:
  SignalsForThreads() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
      sigdelset(&blocked, fault);
    sigdelset(&blocked, child_signals::look_again);
    ::pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsForThreads() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsForThreads(const SignalsForThreads&) = delete;
  SignalsForThreads& operator=(const SignalsForThreads&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

void run_threads(unsigned number, const std::function<void()>& loop) {
  if (number == 1) return loop();
  std::exception_ptr first_failure;
  std::mutex turn;
  const auto guarded = [&] {
    try {
      loop();
    } catch (...) {
      const std::lock_guard lock(turn);
      if (!first_failure) first_failure = std::current_exception();
    }
  };
  // Nobody begins before all are there: half a crew must not take connections and then be sent home.
  std::promise<bool> start;
  const std::shared_future<bool> started = start.get_future().share();
  int error_number = 0;
  std::vector<std::jthread> others;
  others.reserve(number - 1);
  try {
    const SignalsForThreads signals;
    while (others.size() + 1 < number)
      others.emplace_back([&guarded, started] {
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
