// SPDX-License-Identifier: MIT
#include "child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "brood/error.hpp"
#include "signals.hpp"
#include "text.hpp"

namespace brood {
namespace {

static_assert(retire_signal == SIGTERM && nudge_signal == SIGUSR1);
using namespace std::chrono_literals;

// What the retire handler works on: one child a process.
volatile std::sig_atomic_t retired = 0;
volatile std::sig_atomic_t waits_on = -1;
volatile std::sig_atomic_t dead_descriptor = -1;
volatile std::sig_atomic_t leave_descriptor = -1;
const ChildSlot* orders = nullptr;
const std::vector<ChildListener>* listeners_of_this = nullptr;
pid_t parent_of_this = 0;

// The order stands in the slot, and the signal only wakes: a SIGTERM that came from elsewhere (systemd sends
// one to every process of a service, a shell to the whole group) must not take away the children that are to
// empty the queue. The parent tells its children itself. When it is gone, the kernel sends the signal in its
// name (PR_SET_PDEATHSIG).
void retire(int /*signal*/) {
  const int error_number = errno;
  const bool orphaned = ::getppid() != parent_of_this;
  if (!orders->must_leave() && !orphaned) return;
  retired = 1;
  // An orphan's listeners must not be in the way of the next start while it finishes what it has in hand.
  if (orphaned)
    for (const auto& listener : *listeners_of_this) ::dup3(dead_descriptor, listener.descriptor, O_CLOEXEC);
  if (waits_on >= 0) ::dup3(dead_descriptor, waits_on, O_CLOEXEC);
  if (leave_descriptor >= 0) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(leave_descriptor, &one, sizeof one);
  }
  errno = error_number;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  if (::sigaction(signal, &action, nullptr) != 0) throw SystemError("set a signal's action", errno);
}

void set_signal_actions() {
  handle(retire_signal, retire);
  handle(nudge_signal, [](int) {});
  // A terminal sends these to the whole process group: what they mean is for the parent to say.
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU}) handle(signal, SIG_IGN);
  handle(SIGPIPE, SIG_IGN);  // write() tells
  for (const int signal : {SIGUSR2, SIGCHLD, SIGALRM}) handle(signal, SIG_DFL);
}

void set_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0)
    throw SystemError("set a listener non-blocking", errno);
}

}  // namespace

ChildProcess::ChildProcess(ChildSlot slot, std::vector<ChildListener> listeners, pid_t parent)
    : slot_(slot), listeners_(std::move(listeners)), parent_(parent) {
  dead_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!dead_) throw SystemError("socket", errno);
  dead_descriptor = dead_.get();
  orders = &slot_;
  listeners_of_this = &listeners_;
  parent_of_this = parent_;
  if (listeners_.size() == 1)
    waits_on = listeners_.front().descriptor;
  else
    wait_in_epoll();
  set_signal_actions();
  unblock_all_signals();
}

bool ChildProcess::leaving() const { return retired != 0 || slot_.must_leave(); }

Reason ChildProcess::why() const {
  if (::getppid() != parent_) return Reason::parent_gone;
  return slot_.must_leave() ? slot_.leave_reason() : Reason::stop;
}

std::optional<Connection> ChildProcess::accept() {
  while (!leaving()) {
    const std::size_t listener = wait_for_listener();
    if (listener < listeners_.size()) {
      if (auto connection = accept_from(listener)) return connection;
      continue;
    }
    // Interrupted, maybe by a nudge. A wake-up that died with a sibling is not repeated, so the next wait
    // would not see what is in a queue: look.
    for (std::size_t i = 0; epoll_ && i < listeners_.size() && !leaving(); ++i)
      if (auto connection = accept_from(i)) return connection;
  }
  return last_look();
}

std::optional<Connection> ChildProcess::try_accept() {
  if (leaving()) return last_look();
  wait_in_epoll();
  epoll_event event{};
  if (::epoll_wait(epoll_.get(), &event, 1, 0) <= 0) return {};
  return accept_from(event.data.u32);
}

// A wake-up that was meant for us may have come together with the order to leave: the connection behind it
// would wait for the next one. One look a listener is enough; more would never end under load. A child that
// waits in accept() owes none, and its listener is dead by now.
std::optional<Connection> ChildProcess::last_look() {
  while (epoll_ && looked_ < listeners_.size())
    if (auto connection = accept_from(looked_++)) return connection;
  return {};
}

std::optional<Connection> ChildProcess::accept_from(std::size_t listener) {
  sockaddr_storage peer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by accept4
  peer.ss_family = AF_UNSPEC;
  socklen_t size = sizeof peer;
  Descriptor socket(
      ::accept4(listeners_[listener].descriptor, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
  if (!socket) {
    accept_failed(listener, errno);
    return {};
  }
  if (peer.ss_family == AF_UNIX)
    reinterpret_cast<sockaddr_un&>(peer).sun_path[0] = '\0';  // a client has no name
  slot_.accepted(peer, static_cast<std::uint32_t>(listener));
  back_off_ = 0ms;
  return Connection(std::move(socket), peer, listeners_[listener].name, *this);
}

std::size_t ChildProcess::wait_for_listener() {
  if (!epoll_) return 0;
  epoll_event event{};
  if (::epoll_wait(epoll_.get(), &event, 1, -1) == 1) return event.data.u32;
  if (errno != EINTR && !leaving()) throw SystemError("wait for connections", errno);
  return listeners_.size();
}

void ChildProcess::wait_in_epoll() {
  if (epoll_) return;
  Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) throw SystemError("epoll_create1", errno);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    set_nonblocking(listeners_[i].descriptor);
    epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = {.u32 = static_cast<std::uint32_t>(i)}};
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listeners_[i].descriptor, &event) != 0)
      throw SystemError("watch listener " + listeners_[i].name, errno);
  }
  waits_on = epoll.get();
  epoll_ = std::move(epoll);
  if (retired != 0) retire(retire_signal);  // it came before this descriptor was there
}

void ChildProcess::accept_failed(std::size_t listener, int error_number) {
  switch (error_number) {
    // The connection was gone before it was taken, or its network has a fault (accept(2)): the next one may
    // do.
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
      return;
    case EINVAL:
      if (leaving()) return;
      // The parent has closed this listener: a reload took it away. Others stay.
      wait_in_epoll();
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listeners_[listener].descriptor, nullptr);
      return;
    case EAGAIN:
      // Another process that shares the listener has made it non-blocking.
      wait_in_epoll();
      return;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: {
      if (back_off_ == 0ms)
        log_error(SystemError(text("accept on ", listeners_[listener].name,
                                   ": out of descriptors or memory; trying again, ever later"),
                              error_number)
                      .what());
      back_off_ = std::clamp(back_off_ * 2, 10ms, 1000ms);
      ::poll(nullptr, 0, static_cast<int>(back_off_.count()));
      return;
    }
    default:
      if (!leaving()) throw SystemError("accept on " + listeners_[listener].name, error_number);
  }
}

void ChildProcess::finished(Connection connection, Outcome outcome) {
  connection.close();
  slot_.finished(outcome == Outcome::failed, connection.bytes_read(), connection.bytes_written());
  if (asked_ || leaving()) return;
  const bool outdated = slot_.outdated();
  if (!outdated && !slot_.at_cap()) return;
  asked_ = true;
  slot_.ask(outdated ? Reason::recycle : Reason::cap);
}

int ChildProcess::listener_fd() {
  wait_in_epoll();
  return epoll_.get();
}

int ChildProcess::leave_fd() {
  if (!leave_) {
    leave_.reset(::eventfd(leaving() ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!leave_) throw SystemError("eventfd", errno);
    leave_descriptor = leave_.get();
    if (retired != 0) retire(retire_signal);  // it came in between
  }
  return leave_.get();
}

int live(const ChildBirth& birth) {
  try {
    become(birth.identity);
    // After become(): a change of user clears it. The parent may be gone already, and then no signal comes.
    ::prctl(PR_SET_PDEATHSIG, retire_signal);
    if (::getppid() != birth.parent) return static_cast<int>(ExitCode::left);
    ChildProcess child(ChildSlot(*birth.scoreboard, birth.service, birth.slot, birth.wake_fd),
                       birth.listeners, birth.parent);
    try {
      birth.server->on_child_start();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(text("on_child_start: ", std::string_view(error.what())), ExitCode::sick);
    }
    child.ready();
    birth.server->serve(child);
    child.leave();
    birth.server->on_child_exit();
    return static_cast<int>(ExitCode::left);
  } catch (const Error& error) {
    log_error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    log_error(text("child ends by an exception: ", std::string_view(error.what())));
  } catch (...) {
    log_error("child ends by an exception that is no std::exception");
  }
  return static_cast<int>(ExitCode::software);
}

}  // namespace brood
