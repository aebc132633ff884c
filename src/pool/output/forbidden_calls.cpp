// SPDX-License-Identifier: MIT
#include "pool/output/forbidden_calls.hpp"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/sandbox/call_filter.hpp"
#include "base/sandbox/call_groups.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr int most_calls = 32;  // in a period
constexpr auto calls_period = 10ms;
constexpr auto report_again = 1min;  // of the same call

// A kernel may write more than the headers know (SECCOMP_GET_NOTIF_SIZES).
template <typename Message>
struct Padded {
  Message message{};
  std::array<std::uint64_t, 32> more{};
};

}  // namespace

std::string describe(const ForbiddenCall& call) {
  if (call.name.empty()) return text("number ", call.number);
  if (call.name != "socket") return call.name;
  constexpr std::uint64_t type_mask = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  const std::string family = call.first == AF_INET    ? "IPv4"
                             : call.first == AF_INET6 ? "IPv6"
                                                      : text("family ", call.first);
  return text("socket (", family, ", type ", call.second & type_mask, ')');
}

std::string_view allowed_by(const ForbiddenCall& call) {
  if (call.name == "socket" && call.first != AF_INET && call.first != AF_INET6) return "socket";
  constexpr std::uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  if (call.name == "clone" && (call.first & namespaces) != 0) return "clone";
  return allowed_by(std::string_view(call.name));
}

bool ForbiddenCalls::paused() const { return answered_ >= most_calls; }

void ForbiddenCalls::watch(const Descriptor& descriptor) {
  if (!events_) events_.reset(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor.get()}};
  if (!events_ || ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, descriptor.get(), &event) != 0)
    throw SystemError("watch the sandboxes of children", errno);
}

void ForbiddenCalls::open() {
  if (!channel_.sender) take_over(SandboxChannel::make());
}

void ForbiddenCalls::take_over(SandboxChannel channel) {
  watch(channel.receiver);
  channel_ = std::move(channel);
}

void ForbiddenCalls::take_over(Descriptor listener, pid_t child, bool forbids) {
  watch(listener);
  const int number = listener.get();
  sandboxes_.insert_or_assign(number, Sandbox{std::move(listener), child, forbids});
}

void ForbiddenCalls::forget() {
  channel_ = {};
  events_.reset();
  sandboxes_.clear();
}

HandedOverSandboxes ForbiddenCalls::hand_over() const {
  HandedOverSandboxes to{.receiver_descriptor = channel_.receiver.get(),
                         .sender_descriptor = channel_.sender.get()};
  for (const auto& [number, sandbox] : sandboxes_)
    to.sandboxes.push_back({.descriptor = number, .child = sandbox.child, .forbids = sandbox.forbids});
  return to;
}

// Not only closed: a process that was forked this moment may have it still, and it would go on to tell.
void ForbiddenCalls::remove(int listener) {
  ::epoll_ctl(events_.get(), EPOLL_CTL_DEL, listener, nullptr);
  sandboxes_.erase(listener);
}

bool ForbiddenCalls::receive() {
  auto sent = receive_listener(channel_.receiver);
  if (!sent) return false;
  try {
    if (!sent->listener) throw Error("there are too many descriptors");
    take_over(std::move(sent->listener), sent->child, sent->forbids);
  } catch (const Error& error) {
    log_warning(
        text("service ", service_, ": calls that the sandbox of child ", sent->child,
             " does not allow fail with ENOSYS, and are not logged: ", std::string_view(error.what())));
  }
  return true;
}

// False: nothing came, or nothing more will come.
bool ForbiddenCalls::answer(const Sandbox& sandbox, Time now) {
  Padded<seccomp_notif> received;
  if (::ioctl(sandbox.listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &received) != 0)
    return errno == ENOENT || errno == EINTR;  // ENOENT: who made the call is gone
  const seccomp_notif& made = received.message;
  const ForbiddenCall call{.name = call_name(made.data.arch, made.data.nr),
                           .number = made.data.nr,
                           .first = made.data.args[0],
                           .second = made.data.args[1]};
  Padded<seccomp_notif_resp> answer;
  answer.message.id = made.id;
  // What is newer than all that knows names is optional to who makes it, if the kernel seems not to have it.
  if (sandbox.forbids)
    answer.message.error = call.name.empty() ? -ENOSYS : -EPERM;
  else
    answer.message.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  report(sandbox, call, static_cast<pid_t>(made.pid), now);
  ::ioctl(sandbox.listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer);  // fails if the caller is gone
  return true;
}

void ForbiddenCalls::report(const Sandbox& sandbox, const ForbiddenCall& call, pid_t caller, Time now) {
  // Numbers without a name are as many as a child likes.
  const std::string kind = call.name.empty() ? "number" : call.name;
  const std::uint64_t family = call.name == "socket" ? std::min<std::uint64_t>(call.first, AF_MAX) : 0;
  Reported& reported = reported_[text(kind, ' ', family, sandbox.forbids ? " on" : " log")];
  if (reported.at != Time{} && now - reported.at < report_again) {
    ++reported.more;
    return;
  }
  const std::string more =
      reported.more == 0 ? "" : text(" (and ", reported.more, " times since the last such message)");
  reported = {.at = now};
  const std::string who = caller == sandbox.child
                              ? text("child ", caller)
                              : text("process or thread ", caller, " of child ", sandbox.child);
  const std::string what = sandbox.forbids ? text(who, " was refused the system call ", describe(call))
                                           : text(who, " has made the system call ", describe(call),
                                                  ", which sandbox = on would refuse");
  const std::string_view word = allowed_by(call);
  log_warning(text("service ", service_, ": ", what, more,
                   word.empty() ? "" : "; to allow it: sandbox-allow = ", word));
}

void ForbiddenCalls::read(Time now) {
  if (!events_) return;
  if (now - period_begun_ >= calls_period) {
    period_begun_ = now;
    answered_ = 0;
  }
  std::array<epoll_event, most_calls> events{};
  const int number = ::epoll_wait(events_.get(), events.data(), most_calls, 0);
  for (int i = 0; i < number; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == channel_.receiver.get()) {
      for (int received = 0; received < most_calls && receive(); ++received) {
      }
      continue;
    }
    const auto found = sandboxes_.find(event.data.fd);
    if (found == sandboxes_.end()) continue;
    const bool goes_on = (event.events & EPOLLIN) != 0 && answer(found->second, now);
    ++answered_;
    if (!goes_on) remove(event.data.fd);  // the last process in it has ended
  }
}

Time ForbiddenCalls::look(Time now) {
  if (paused() && now - period_begun_ >= calls_period) read(now);
  return paused() ? period_begun_ + calls_period : never;
}

}  // namespace brood
