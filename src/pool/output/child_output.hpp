// SPDX-License-Identifier: MIT
// What the children of a service, and the programs that they run, write to standard error and output: the
// parent reads it from one socket, and logs it line by line.
//
// It is a socket and not a pipe, because the kernel tells for each piece which process has written it. It
// never blocks: what is written while the parent does not read is lost, for the writer alone. Parent only,
// but for for_child().
#pragma once

#include <poll.h>

#include <optional>
#include <string>

#include "base/log/message_limiter.hpp"
#include "base/log/output_lines.hpp"
#include "brood/descriptor.hpp"

namespace brood {

struct HandedOverOutput {
  int read_descriptor = -1, write_descriptor = -1;  // -1: there is none
  std::uint64_t lost = 0;                           // lines that were not logged, and not reported yet
  std::vector<OutputLines::Part> parts{};
};

class ChildOutput {
 public:
  explicit ChildOutput(std::string service);

  // Before a child is started; does nothing if it is open. What fails is logged: then children write to where
  // the parent does.
  void open();
  // In a fresh child: the end that it writes to. The caller owns it.
  Descriptor for_child() { return std::move(write_end_); }
  void forget();  // in a child

  HandedOverOutput hand_over() const;
  void take_over(Descriptor read_end, Descriptor write_end, const HandedOverOutput& left);

  // For poll(). read() is for when it can be read.
  pollfd watched() const { return {.fd = paused_ ? -1 : read_end_.get(), .events = POLLIN, .revents = 0}; }
  // Reads as much as is read at a time, and logs it.
  void read(Time now);
  void child_ended(pid_t child, Time now);  // logs what it has written last
  Time look(Time now);                      // returns when to look again

 private:
  bool read_once(Time now);
  void log_line(pid_t writer, std::string_view line, Time now);
  void report(const std::optional<MessageLimiter::More>& more);

  const std::string service_;
  Descriptor read_end_, write_end_;
  OutputLines lines_;
  MessageLimiter limiter_;
  bool paused_ = false;  // more was written than is read at a time
  bool open_failed_ = false;
  Time read_again_{}, report_at_ = never;
};

}  // namespace brood
