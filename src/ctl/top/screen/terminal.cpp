// SPDX-License-Identifier: MIT
#include "ctl/top/screen/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "brood/error.hpp"

namespace brood::ctl {
namespace {

// Private modes of xterm: the other screen (1049), the cursor (25), wrapping at the edge (7).
constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[0m\x1b[2J";
constexpr std::string_view leave_text = "\x1b[0m\x1b[2J\x1b[H\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array faults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

// For the handler of faults.
termios modes_before;                  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> is_entered = false;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Only what is safe in a handler. The modes of a terminal of others are not touched by one in the background,
// because SIGTTOU is blocked there and tcsetattr() would go through.
void leave_terminal() {
  if (!is_entered.exchange(false)) return;
  write_all(leave_text);
  ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &modes_before);
}

// The action is the default one from here on: the process ends when the handler returns, also if the signal
// came from another process.
void leave_at_fault(int signal) {
  leave_terminal();
  ::raise(signal);
}

void set_handlers_of_faults() {
  for (const int fault : faults) {
    struct sigaction action {};
    if (::sigaction(fault, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_handler = leave_at_fault;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(fault, &action, nullptr);
  }
}

bool in_foreground() { return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

// With the default action, although it is blocked otherwise.
void take(int signal) {
  struct sigaction action {
  }, before{};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, &before);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  ::raise(signal);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
  ::sigaction(signal, &before, nullptr);
}

void stop_while_in_background() {
  while (!in_foreground() && ::tcgetpgrp(STDIN_FILENO) > 0) take(SIGTTOU);
}

}  // namespace

Terminal::Terminal() {
  block_all_signals();
  stop_while_in_background();
  if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw SystemError("read the modes of the terminal", errno);
  modes_before = before_;
  signals_ =
      SignalDescriptor({SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1, SIGUSR2,
                        SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGXFSZ, SIGPIPE, SIGPOLL, SIGPWR, SIGSTKFLT});
  set_handlers_of_faults();
  enter();
}

Terminal::~Terminal() { leave(); }

Size Terminal::size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

bool Terminal::write(std::string_view text) const { return write_all(text); }

// The keys for signals still give them.
void Terminal::enter() const {
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  raw.c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  is_entered = true;
  if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0)
    throw SystemError("set the modes of the terminal", errno);
  write_all(enter_text);
}

void Terminal::leave() const { leave_terminal(); }

void Terminal::stop() {
  leave();
  take(SIGTSTP);
  go_on();
}

void Terminal::go_on() const {
  stop_while_in_background();
  enter();
}

void die_of(int signal) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
  ::raise(signal);
  unblock_all_signals();
  ::_exit(128 + signal);
}

}  // namespace brood::ctl
