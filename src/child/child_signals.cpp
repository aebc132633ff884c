// SPDX-License-Identifier: MIT
#include "child/child_signals.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "base/event_descriptor.hpp"
#include "base/signals.hpp"
#include "brood/error.hpp"

namespace brood::child_signals {
namespace {

static_assert(retire == SIGTERM && nudge == SIGUSR1);

// Atomic, and in one order for all: the handlers run in one thread, and what they tell is for others.
std::atomic<bool> is_retired{false};
std::atomic<int> waits_on{-1};
std::atomic<int> dead_descriptor{-1};
std::atomic<int> leave_descriptor{-1};
std::atomic<int> look_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
const ChildSlot* orders_of_this = nullptr;
const std::vector<ChildListener>* listeners_of_this = nullptr;
pid_t parent_of_this = 0;

std::atomic<std::int64_t> ends_as_orphan{0};  // in seconds_now(); 0: when it is done

std::atomic<bool> is_nudged{false};
std::array<std::atomic<pid_t>, most_threads> threads;
std::atomic<unsigned> thread_count{0};

// By its id in the kernel: some threads may have ended, and been joined, while others still handle what they
// have in hand, and pthread_kill() would look into memory that is gone.
void interrupt_threads() {
  const pid_t process = ::getpid();
  const unsigned count = std::min(thread_count.load(), most_threads);
  for (unsigned i = 0; i < count; ++i)
    if (const pid_t thread = threads[i].load(); thread != 0) ::tgkill(process, thread, nudge);
}

std::int64_t seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void cut_the_wait() {
  if (waits_on >= 0) ::dup3(dead_descriptor, waits_on, O_CLOEXEC);
  tell_event(leave_descriptor);
}

// The order stands in the slot, and the signal only wakes: a SIGTERM that came from elsewhere (systemd sends
// one to every process of a service, a shell to the whole group) must not take away the children that are to
// empty the queue. The parent tells its children itself. When it is gone, the kernel sends the signal in its
// name (PR_SET_PDEATHSIG).
void on_retire(int /*signal*/) {
  const int error_number = errno;
  const bool orphaned = ::getppid() != parent_of_this;
  if (!is_retired && !orders_of_this->must_leave() && !orphaned) return;
  is_retired = true;
  // An orphan's listeners must not be in the way of the next start while it finishes what it has in hand.
  if (orphaned && leave_descriptor < 0)
    for (const auto& listener : *listeners_of_this) ::dup3(dead_descriptor, listener.descriptor, O_CLOEXEC);
  if (orphaned && ends_as_orphan != 0)
    ::alarm(static_cast<unsigned>(std::max<std::int64_t>(ends_as_orphan - seconds_now(), 1)));
  cut_the_wait();
  interrupt_threads();
  errno = error_number;
}

// From another process it is for any thread that waits; from a thread of this one it has done its work.
void on_nudge(int /*signal*/, siginfo_t* info, void* /*context*/) {
  if (info->si_code == SI_TKILL) return;
  const int error_number = errno;
  tell_event(look_descriptor);  // first this: who takes the nudge empties the descriptor
  is_nudged = true;
  interrupt_threads();
  errno = error_number;
}

void act(int signal, struct sigaction action) {
  action.sa_flags |= SA_RESTART;
  if (::sigaction(signal, &action, nullptr) != 0) throw SystemError("set a signal's action", errno);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  act(signal, action);
}

}  // namespace

void set_up(const ChildSlot& orders, const std::vector<ChildListener>& listeners, pid_t parent, int dead) {
  orders_of_this = &orders;
  listeners_of_this = &listeners;
  parent_of_this = parent;
  dead_descriptor = dead;
  handle(retire, on_retire);
  struct sigaction nudged {};
  nudged.sa_sigaction = on_nudge;
  nudged.sa_flags = SA_SIGINFO;
  act(nudge, nudged);
  // A terminal, or an operator, sends these to the whole process group: what they mean is for the parent to
  // say.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR2})
    handle(signal, SIG_IGN);
  handle(SIGPIPE, SIG_IGN);  // write() tells
  for (const int signal : {SIGCHLD, SIGALRM}) handle(signal, SIG_DFL);
  unblock_all_signals();
}

bool of_child() { return orders_of_this != nullptr; }

// In the main thread, which passes it on to those that wait.
void leave() {
  is_retired = true;
  ::tgkill(::getpid(), ::getpid(), retire);
}

void limit_as_orphan(std::chrono::milliseconds time) {
  ends_as_orphan = seconds_now() + std::chrono::ceil<std::chrono::seconds>(time).count();
}

bool retired() { return is_retired; }
bool take_nudge() { return is_nudged.exchange(false); }

void wait_on(int descriptor) {
  waits_on = descriptor;
  if (is_retired) cut_the_wait();  // it came before this descriptor was there
}

void tell(int leave, int look) {
  look_descriptor = look;
  leave_descriptor = leave;
  if (is_retired) cut_the_wait();
}

void add_thread() {
  const unsigned index = thread_count.fetch_add(1);
  if (index < most_threads) threads[index].store(::gettid());
}

void forget_threads() { thread_count.store(0); }

}  // namespace brood::child_signals
