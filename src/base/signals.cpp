// SPDX-License-Identifier: MIT
#include "base/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

void set_mask(bool blocked) {
  sigset_t all;
  sigfillset(&all);
  // A fault must end the process: if these signals were blocked, it would be ignored or repeated.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
  if (::pthread_sigmask(blocked ? SIG_SETMASK : SIG_UNBLOCK, &all, nullptr) != 0)
    throw SystemError("set the signal mask", errno);
}

}  // namespace

void block_all_signals() { set_mask(true); }
void unblock_all_signals() { set_mask(false); }

void end_process_after(std::chrono::milliseconds time) {
  ::signal(SIGALRM, SIG_DFL);  // NOLINT(cert-err33-c)
  sigset_t alarm_only;
  ::sigemptyset(&alarm_only);
  ::sigaddset(&alarm_only, SIGALRM);
  ::sigprocmask(SIG_UNBLOCK, &alarm_only, nullptr);
  ::alarm(static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(time).count() + 1));
}

// A handler, not SIG_IGN, which would be inherited by executed programs.
void disarm_signals() {
  const auto disarm = [](int signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action.sa_handler = [](int) {};
    action.sa_flags = SA_RESTART;
    if (::sigaction(signal, &action, nullptr) != 0) throw SystemError("set a signal's action", errno);
  };
  for (const int signal :
       {SIGXFSZ, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGPOLL, SIGPWR, SIGSTKFLT})
    disarm(signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) disarm(signal);
}

void default_signals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &action, nullptr);  // not KILL and STOP
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // can't fail with a valid mask
}

std::optional<int> find_signal(std::string_view word) {
  if (const auto number = parse_number<int>(word); number && *number > 0 && *number <= SIGRTMAX)
    return number;
  const std::string_view name = word.starts_with("SIG") ? word.substr(3) : word;
  for (int signal = 1; signal < NSIG; ++signal)
    if (const char* known = ::sigabbrev_np(signal); known != nullptr && name == known) return signal;
  return {};
}

std::string name_of_signal(int signal) {
  const char* const known = ::sigabbrev_np(signal);
  return known == nullptr ? text(signal) : text("SIG", std::string_view(known));
}

SignalDescriptor::SignalDescriptor(std::initializer_list<int> signals) {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : signals) {
    sigaddset(&wanted, signal);
    // Without a handler, PID 1 of a container would not get it, nor a process that was started with it
    // ignored.
    struct sigaction action {};
    action.sa_handler = [](int) {};
    if (::sigaction(signal, &action, nullptr) != 0) throw SystemError("set a signal's action", errno);
  }
  descriptor_.reset(::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!descriptor_) throw SystemError("signalfd", errno);
}

std::vector<int> SignalDescriptor::arrived() const {
  std::vector<int> numbers;
  signalfd_siginfo info{};
  while (::read(descriptor_.get(), &info, sizeof info) == sizeof info)
    numbers.push_back(static_cast<int>(info.ssi_signo));
  return numbers;
}

}  // namespace brood
