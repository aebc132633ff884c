// SPDX-License-Identifier: MIT
#include "child/crash/crash_handler.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string_view>
#include <typeinfo>

#include "child/crash/alternate_stack.hpp"
#include "child/crash/stack_walk.hpp"

namespace brood::crash_handler {
namespace {

constexpr std::array faults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

const ChildSlot* slot_of_this = nullptr;
Evidence* evidence_of_this = nullptr;
std::uint64_t incarnation_of_this = 0;
pid_t process = 0;
std::terminate_handler terminate_before = nullptr;

std::atomic<pid_t> writer{0};  // the thread that writes; the process ends after it
std::atomic<int> first_signal{0};
std::atomic<bool> has_exception{false};  // that nobody caught

// The kernel reports it again when the instruction is executed again.
bool is_fault(int signal, const siginfo_t& info) {
  return info.si_code > 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL);
}

void end_by(int signal, const siginfo_t& info) {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(signal, &standard, nullptr);
  if (!is_fault(signal, info)) ::tgkill(::getpid(), ::gettid(), signal);
}

// The process ends when the other thread has written.
void wait_for_writer() {
  timespec time{.tv_sec = 1, .tv_nsec = 0};
  while (::nanosleep(&time, &time) != 0) {
  }
}

bool may_write() {
  return evidence_of_this != nullptr && ::getpid() == process && !slot_of_this->is_detached();
}

void write_exception(std::string_view type, std::string_view message) {
  write_bytes(evidence_of_this->exception_type, type);
  write_bytes(evidence_of_this->message, message);
}

void write_evidence(int signal, const siginfo_t& info, void* context) {
  Evidence& to = *evidence_of_this;
  to.signal.store(signal, relaxed);
  to.code.store(info.si_code, relaxed);
  to.address.store(is_fault(signal, info) ? reinterpret_cast<std::uintptr_t>(info.si_addr) : 0, relaxed);
  to.thread.store(::gettid(), relaxed);
  to.frames.store(0, relaxed);
  to.modules.store(0, relaxed);
  if (!has_exception) write_exception({}, {});  // the child before may have left one
  to.incarnation.store(incarnation_of_this, std::memory_order_release);
  write_stack(to, context);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const pid_t thread = ::gettid();
  pid_t other = 0;
  if (!writer.compare_exchange_strong(other, thread)) {
    if (other != thread) wait_for_writer();
    // Else a fault while it wrote: what is written stays, and the first signal ends the process.
    const siginfo_t sent{};
    return end_by(other == thread ? first_signal.load() : signal, sent);
  }
  first_signal = signal;
  if (may_write()) write_evidence(signal, *info, context);
  end_by(signal, *info);
}

// An exception that nobody catches, or that leaves a function that is noexcept. abort() comes next.
[[noreturn]] void on_terminate() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type != nullptr && may_write()) {
    try {
      throw;
    } catch (const std::exception& error) {
      write_exception(type->name(), error.what());
    } catch (...) {
      write_exception(type->name(), "");
    }
    has_exception = true;
  }
  terminate_before();
  std::abort();
}

void handle(int signal) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) != 0 || (action.sa_flags & SA_SIGINFO) != 0 ||
      action.sa_handler != SIG_DFL)
    return;
  action = {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigfillset(&action.sa_mask);
  for (const int fault : faults) ::sigdelset(&action.sa_mask, fault);
  ::sigaction(signal, &action, nullptr);  // can't fail for a signal that can be caught
}

}  // namespace

void prepare() {
  if (terminate_before != nullptr) return;
  prepare_stack_walks();
  prepare_alternate_stack();
  // In the parent it calls the one before: it has no evidence.
  terminate_before = std::set_terminate(on_terminate);
}

void set_up(const ChildSlot& slot, Evidence& evidence, std::uint64_t incarnation) {
  prepare();  // an executed program is no copy of its parent
  slot_of_this = &slot;
  evidence_of_this = &evidence;
  incarnation_of_this = incarnation;
  process = ::getpid();
  use_alternate_stack_of_main_thread();
  for (const int fault : faults) handle(fault);
}

}  // namespace brood::crash_handler
