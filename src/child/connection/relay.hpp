// SPDX-License-Identifier: MIT
// Moves bytes between two descriptors that do not block, in the kernel if that is possible, and passes the
// end of each direction on. It does not wait.
#pragma once

#include <fcntl.h>
#include <poll.h>

#include <array>
#include <cstddef>
#include <string>

#include "brood/descriptor.hpp"

namespace brood {

// While it lives, a descriptor does not block.
class NonBlockingFor {
 public:
  explicit NonBlockingFor(int descriptor) : descriptor_(descriptor), flags_(::fcntl(descriptor, F_GETFL)) {
    ::fcntl(descriptor_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~NonBlockingFor() { ::fcntl(descriptor_, F_SETFL, flags_); }
  NonBlockingFor(const NonBlockingFor&) = delete;
  NonBlockingFor& operator=(const NonBlockingFor&) = delete;

 private:
  const int descriptor_, flags_;
};

// From one descriptor to another one.
class RelayDirection {
 public:
  // `head` was read from `from` already.
  RelayDirection(int from, int to, std::string head);

  // Moves what can be moved now, some 64 KiB at most. True: there may be more at once. Throws SystemError if
  // the pipe can't be made, ConnectionError if one of the descriptors is broken.
  bool step();

  bool done() const { return done_; }  // the end was passed on
  bool waits_to_read() const { return !done_ && left() == 0; }
  bool waits_to_write() const { return !done_ && left() > 0; }
  std::size_t was_read() const { return was_read_; }  // without `head`
  std::size_t was_written() const { return was_written_; }

 private:
  std::size_t left() const { return head_.size() + in_pipe_; }
  static bool may_try_again(const char* doing);
  bool take();
  bool give();
  void take_pipe_back();

  const int from_, to_;
  std::string head_;  // goes before what is in the pipe
  Descriptor out_, in_;
  std::size_t in_pipe_ = 0;
  bool copies_ = false;  // splice() can't be used
  bool ended_ = false, done_ = false;
  std::size_t was_read_ = 0, was_written_ = 0;
};

// Both directions between a first and a second descriptor.
class Relay {
 public:
  // What was read already of each.
  Relay(int first, int second, std::string first_head, std::string second_head);

  bool step();  // as RelayDirection::step()
  // Both directions have ended, or a descriptor is closed on the other side and all that it has sent was
  // passed on.
  bool done() const;
  std::array<pollfd, 2> waits_for() const;
  void see(const std::array<pollfd, 2>& ends);  // what poll() has found

  const RelayDirection& there() const { return there_; }
  const RelayDirection& back() const { return back_; }
  std::size_t moved() const {
    return there_.was_read() + there_.was_written() + back_.was_read() + back_.was_written();
  }

 private:
  const int first_, second_;
  RelayDirection there_, back_;
  std::array<bool, 2> hung_up_{};
};

}  // namespace brood
