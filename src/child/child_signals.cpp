// SPDX-License-Identifier: MIT
#include "child/child_signals.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <vector>

#include "base/event_descriptor.hpp"
#include "base/signals.hpp"
#include "brood/error.hpp"
#include "child/child_setup.hpp"

namespace brood::child_signals {
namespace {

static_assert(retire == SIGTERM && orphaned == SIGCONT && look_again == SIGUSR1);

// Atomic and sequentially consistent: the handlers run in one thread, and the others read what they write.
std::atomic<bool> is_retired{false};
std::atomic<const std::span<const int>*> waits_on{nullptr};
std::atomic<int> dead_descriptor{-1};
std::atomic<int> leave_descriptor{-1};
std::atomic<int> look_descriptor{-1};
static_assert(std::atomic<const std::vector<int>*>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
const ChildSlot* orders_of_this = nullptr;
const std::vector<ChildListener>* listeners_of_this = nullptr;
pid_t parent_of_this = 0;

// Without a parent this child ends at this time of seconds_now(); 0: when its connections have ended.
std::atomic<std::int64_t> ends_as_orphan{0};

std::atomic<bool> look_wanted{false};
// By the ids that the kernel has for them. Empty if the child has one thread: an array would lie between the
// variables that a child writes, and put them into more pages.
std::vector<std::atomic<pid_t>> threads;
std::atomic<unsigned> thread_count{0};

// tgkill() by the kernel's id, not pthread_kill(): a thread may have ended and been joined, and
// pthread_kill() would read memory that was freed.
void interrupt_threads() {
  const pid_t process = ::getpid();
  const std::size_t count = std::min<std::size_t>(thread_count.load(), threads.size());
  for (std::size_t i = 0; i < count; ++i)
    if (const pid_t thread = threads[i].load(); thread != 0) ::tgkill(process, thread, look_again);
}

struct ThreadRead {
  std::atomic<int> socket{-1};
  std::atomic<bool> cut{false};
  timeval timeout{};  // of the socket, before the read was cut
};
thread_local ThreadRead read_of_thread;

void cut_read() {
  const int socket = read_of_thread.socket.load(std::memory_order_relaxed);
  if (socket < 0 || read_of_thread.cut.load(std::memory_order_relaxed)) return;
  constexpr timeval soon{.tv_sec = 0, .tv_usec = 1000};
  socklen_t size = sizeof soon;
  if (::getsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &read_of_thread.timeout, &size) != 0) return;
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon) != 0) return;
  read_of_thread.cut.store(true, std::memory_order_relaxed);
}

std::int64_t seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void end_the_wait() {
  if (const std::span<const int>* const descriptors = waits_on)
    for (const int descriptor : *descriptors) ::dup3(dead_descriptor, descriptor, O_CLOEXEC);
  tell_event(leave_descriptor);
}

// The order is in the slot, and the signal only wakes. A SIGTERM from elsewhere (systemd sends one to every
// process of a service, a shell to the whole group) must not stop the children: they are to empty the queue
// first. The parent tells its children itself. If the parent is gone, the kernel sends `orphaned`
// (PR_SET_PDEATHSIG), which from elsewhere means nothing here either.
void on_retire(int /*signal*/) {
  const int error_number = errno;
  const bool alone = ::getppid() != parent_of_this;
  if (!is_retired && !orders_of_this->must_leave() && !alone) return;
  is_retired = true;
  // While an orphan finishes its connections, its listeners must not be in the way of the next start.
  if (alone && leave_descriptor < 0)
    for (const auto& listener : *listeners_of_this) ::dup3(dead_descriptor, listener.descriptor, O_CLOEXEC);
  if (alone && ends_as_orphan != 0) {
    ::signal(SIGALRM, SIG_DFL);  // can't fail for a signal that can be caught
    ::alarm(static_cast<unsigned>(std::max<std::int64_t>(ends_as_orphan - seconds_now(), 1)));
  }
  end_the_wait();
  interrupt_threads();
  errno = error_number;
}

// From another process it is meant for all threads that wait. From a thread of this process
// (interrupt_threads) it has interrupted this one, and that was its purpose.
void on_look(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const int error_number = errno;
  cut_read();
  errno = error_number;
  if (info->si_code == SI_TKILL) return;
  tell_event(look_descriptor);  // before the flag: taking the flag clears the descriptor
  look_wanted = true;
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

void set_up(const ChildSlot& orders, const std::vector<ChildListener>& listeners, unsigned number_of_threads,
            pid_t parent, int dead) {
  if (number_of_threads > 1) threads = std::vector<std::atomic<pid_t>>(most_threads);
  orders_of_this = &orders;
  listeners_of_this = &listeners;
  parent_of_this = parent;
  dead_descriptor = dead;
  handle(retire, on_retire);
  struct sigaction with_sender {};
  with_sender.sa_sigaction = on_look;
  with_sender.sa_flags = SA_SIGINFO;
  act(look_again, with_sender);
  // A terminal or an operator sends these to the whole process group. They are for the parent.
  if (parent != no_parent) {
    handle(orphaned, on_retire);
    for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR2})
      handle(signal, SIG_IGN);
  } else {
    handle(SIGINT, on_retire);
  }
  handle(SIGPIPE, SIG_IGN);  // write() fails with EPIPE instead
  handle(SIGCHLD, SIG_DFL);
  unblock_all_signals();
}

bool of_child() { return orders_of_this != nullptr; }

// The main thread runs the handler, which interrupts the other threads.
void leave() {
  is_retired = true;
  ::tgkill(::getpid(), ::getpid(), retire);
}

void limit_as_orphan(std::chrono::milliseconds time) {
  ends_as_orphan = seconds_now() + std::chrono::ceil<std::chrono::seconds>(time).count();
}

bool retired() { return is_retired; }
bool take_look() { return look_wanted.exchange(false); }

void wait_on(const std::span<const int>& descriptors) {
  waits_on = &descriptors;
  if (is_retired) end_the_wait();  // the signal came before these were known
}

void tell(int leave, int look) {
  look_descriptor = look;
  leave_descriptor = leave;
  if (is_retired) end_the_wait();
}

void add_thread() {
  const unsigned index = thread_count.fetch_add(1);
  if (index < threads.size()) threads[index].store(::gettid());
}

void forget_threads() { thread_count.store(0); }

[[gnu::hot]] void begin_read(int socket) {
  read_of_thread.socket.store(socket, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

bool read_was_cut() { return read_of_thread.cut.load(std::memory_order_relaxed); }

[[gnu::hot]] void end_read() {
  const int socket = read_of_thread.socket.load(std::memory_order_relaxed);
  read_of_thread.socket.store(-1, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!read_of_thread.cut.load(std::memory_order_relaxed)) return;
  read_of_thread.cut.store(false, std::memory_order_relaxed);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &read_of_thread.timeout, sizeof(timeval));
}

}  // namespace brood::child_signals
