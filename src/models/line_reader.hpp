// SPDX-License-Identifier: MIT
// Takes a line out of a FIFO that siblings read as well. In a child; one thread.
//
// A FIFO is a stream of bytes: who reads it gets some, not a line. So the line is measured first: tee(2)
// copies what waits into a pipe of our own and leaves it in the FIFO. Next one read() takes the line and
// nothing else. Between the two no sibling may read: that is a record lock (fcntl F_SETLK) on the FIFO, which
// Linux has, and which the kernel takes back from a holder that dies. A child that is killed before that
// read() has taken nothing, after it the whole line: no line is ever torn. One that is stopped while it has
// the lock, which it has for microseconds, holds up the FIFO until it continues or is killed.
#pragma once

#include <array>
#include <climits>
#include <optional>
#include <string_view>

#include "brood/descriptor.hpp"

namespace brood {

class LineReader {
 public:
  LineReader();  // throws SystemError

  // A line, with its newline; valid until the next call. Empty, with errno: there is none, or (EINTR) a
  // sibling has the lock for long. A line that lacks its newline is waited for a moment and then taken as it
  // is; of one that is longer than PIPE_BUF, what a writer can't write in one piece, its first PIPE_BUF
  // bytes.
  std::optional<std::string_view> take(int fifo);

 private:
  std::size_t measure(int fifo, bool any);
  std::optional<std::string_view> take_measured(int fifo, bool any);

  Descriptor in_, out_;  // of the pipe
  std::array<char, PIPE_BUF> line_{};
};

}  // namespace brood
