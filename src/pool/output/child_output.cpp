// SPDX-License-Identifier: MIT
#include "pool/output/child_output.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "pool/read_with_sender.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

constexpr unsigned most_lines = 1000;  // in a period
constexpr auto line_period = 10s;
constexpr std::size_t read_size = 64 << 10;
constexpr int most_reads = 4;         // at a time ...
constexpr auto between_reads = 10ms;  // ... and until the next time

void set_option(const Descriptor& socket, int option, const void* value, socklen_t size) {
  if (::setsockopt(socket.get(), SOL_SOCKET, option, value, size) != 0)
    throw SystemError("set up a socket for the output of children", errno);
}

// A message that nobody reads, with the descriptor of the reading end. So that end stays open as long as a
// process has the writing end, and who writes when the parent is gone does not get SIGPIPE.
void keep_open(const Descriptor& read_end) {
  char byte = '\0';
  iovec content{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = read_end.get();
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  if (::sendmsg(read_end.get(), &message, MSG_NOSIGNAL) != 1)
    throw SystemError("keep a socket for the output of children open", errno);
}

struct Pair {
  Descriptor read_end, write_end;
};

Pair make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    throw SystemError("open a socket for the output of children", errno);
  Pair pair{Descriptor(ends[0]), Descriptor(ends[1])};
  constexpr int on = 1;
  set_option(pair.read_end, SO_PASSCRED, &on, sizeof on);
  // A program may make it blocking for all that share it. The kernel makes this one tick.
  constexpr timeval shortest{.tv_sec = 0, .tv_usec = 1};
  set_option(pair.write_end, SO_SNDTIMEO, &shortest, sizeof shortest);
  keep_open(pair.read_end);
  return pair;
}

}  // namespace

ChildOutput::ChildOutput(std::string service)
    : service_(std::move(service)), limiter_(most_lines, line_period) {}

void ChildOutput::open() {
  if (read_end_) return;
  try {
    auto [read_end, write_end] = make_pair();
    read_end_ = std::move(read_end);
    write_end_ = std::move(write_end);
    open_failed_ = false;
  } catch (const Error& error) {
    if (!open_failed_)
      log_warning(text("service ", service_,
                       ": what its children write is not logged: ", std::string_view(error.what())));
    open_failed_ = true;
  }
}

void ChildOutput::forget() {
  read_end_.reset();
  write_end_.reset();
}

HandedOverOutput ChildOutput::hand_over() const {
  return {.read_descriptor = read_end_.get(),
          .write_descriptor = write_end_.get(),
          .lost = limiter_.held_back(),
          .parts = lines_.parts()};
}

void ChildOutput::take_over(Descriptor read_end, Descriptor write_end, const HandedOverOutput& left) {
  read_end_ = std::move(read_end);
  write_end_ = std::move(write_end);
  lines_.take_over(left.parts);
  if (left.lost > 0) report({{.messages = left.lost, .time = {}}});
}

bool ChildOutput::read_once(Time now) {
  const auto sent = read_with_sender(read_end_, read_size);
  if (!sent || sent->text.empty()) return false;
  lines_.add(sent->sender, sent->text, now,
             [&](pid_t writer, std::string_view line) { log_line(writer, line, now); });
  return true;
}

void ChildOutput::read(Time now) {
  if (!read_end_) return;
  int reads = 0;
  while (reads < most_reads && read_once(now)) ++reads;
  paused_ = reads == most_reads;
  read_again_ = now + between_reads;
}

void ChildOutput::child_ended(pid_t child, Time now) {
  if (!paused_) read(now);
  lines_.ended(child, [&](pid_t writer, std::string_view line) { log_line(writer, line, now); });
}

Time ChildOutput::look(Time now) {
  if (!read_end_) return never;
  if (paused_ && now >= read_again_) read(now);
  Time next = lines_.look(now, [&](pid_t writer, std::string_view line) { log_line(writer, line, now); });
  report(limiter_.due(now));
  if (!limiter_.holds_back())
    report_at_ = never;
  else if (report_at_ == never)
    report_at_ = now + line_period;
  next = std::min(next, report_at_);
  return paused_ ? std::min(next, read_again_) : next;
}

void ChildOutput::log_line(pid_t writer, std::string_view line, Time now) {
  report(limiter_.due(now));
  if (limiter_.allows(now)) log_info(text("service ", service_, ": process ", writer, " says: ", line));
}

void ChildOutput::report(const std::optional<MessageLimiter::More>& more) {
  if (!more) return;
  log_warning(text("service ", service_, ": its processes have written more than ", most_lines, " lines in ",
                   line_period, "; not logged: ", more->messages,
                   " lines, and what came too fast to be read"));
}

}  // namespace brood
