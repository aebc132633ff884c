// SPDX-License-Identifier: MIT
// Reads a line from a FIFO that other children read as well. In a child, in one thread.
//
// A read() from a FIFO returns some bytes, not a line. So the line is measured first: tee(2) copies the input
// into a pipe of our own and leaves it in the FIFO. Then one splice(2) moves the line, and nothing else, into
// that pipe. No other child may read between the two calls: a record lock on the FIFO (fcntl F_SETLK, which
// works on Linux) prevents that.
//
// No line is torn, whenever a child is killed:
// - Before splice(), nothing was removed. The kernel releases the lock of a process that dies when that
// process
//   makes no more system calls.
// - splice() between two pipes moves pages under the locks of both. It touches no memory of the process, and
//   neither waits nor looks for a signal between two pages: it moves the whole line or nothing. (read()
//   copies page by page, and may fail to copy the second one when the process is killed.)
// - After splice(), the line belongs to this child alone, and is lost with it.
// A child that is stopped within the microseconds in which it holds the lock blocks the FIFO until it
// continues or is killed.
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

  // A line, with its newline; valid until the next call. Empty, with errno: there is none, or (EINTR) another
  // child holds the lock for long. If a line lacks its newline, this waits for it for a moment, then returns
  // what there is. Of a line that is longer than PIPE_BUF, which no writer can write in one piece, it returns
  // the first PIPE_BUF bytes.
  std::optional<std::string_view> read(int fifo);

 private:
  std::size_t measure(int fifo, bool incomplete);
  std::size_t read_pipe(std::size_t size);
  std::optional<std::string_view> read_measured(int fifo, bool incomplete);

  Descriptor in_, out_;  // of the pipe
  std::array<char, PIPE_BUF> line_{};
};

}  // namespace brood
