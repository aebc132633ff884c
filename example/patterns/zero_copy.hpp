// SPDX-License-Identifier: MIT
// Five ways to send a whole file. `to` is a socket that blocks.
#pragma once

#include <fcntl.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <brood/connection.hpp>
#include <brood/descriptor.hpp>
#include <brood/error.hpp>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

namespace patterns {

// Calls until no signal interrupts it.
template <typename Function>
std::size_t call(const Function& function) {
  ssize_t result = -1;
  do result = function();
  while (result < 0 && errno == EINTR);
  if (result < 0) throw brood::ConnectionError("send an answer", errno);
  return static_cast<std::size_t>(result);
}

struct Pipe {
  Pipe() {
    int ends[2];
    call([&] { return pipe2(ends, O_CLOEXEC); });
    out.reset(ends[0]);
    in.reset(ends[1]);
  }
  brood::Descriptor out, in;
};

struct File {
  const brood::Descriptor& descriptor;
  std::string_view content;
};

inline void send_copied(brood::Connection& to, const File& file) {
  std::string copy(file.content.size(), '\0');
  call([&] { return pread(file.descriptor.get(), copy.data(), copy.size(), 0); });
  to.write_all(copy);
}

// From two places, without joining them first.
inline void send_gathered(brood::Connection& to, const File& file) {
  constexpr std::size_t head = 16;
  to.write_all(file.content.substr(0, head), file.content.substr(head));
}

inline void send_by_sendfile(brood::Connection& to, const File& file) {
  off_t at = 0;
  for (std::size_t left = file.content.size(); left > 0;)
    left -= call([&] { return sendfile(to.descriptor(), file.descriptor.get(), &at, left); });
}

// Moves pages of the file into the pipe, not their bytes.
inline std::size_t fill(const Pipe& pipe, const File& file, std::size_t from) {
  auto at = static_cast<loff_t>(from);
  const std::size_t size = file.content.size() - from;
  return call([&] { return splice(file.descriptor.get(), &at, pipe.in.get(), nullptr, size, 0); });
}

inline void drain(const Pipe& pipe, brood::Connection& to, std::size_t left) {
  while (left > 0)
    left -= call([&] { return splice(pipe.out.get(), nullptr, to.descriptor(), nullptr, left, 0); });
}

inline void send_spliced(brood::Connection& to, const File& file, const Pipe& pipe) {
  std::size_t filled = 0;
  for (std::size_t at = 0; at < file.content.size(); at += filled)
    drain(pipe, to, filled = fill(pipe, file, at));
}

// `whole` has the file, and keeps it.
inline void send_by_tee(brood::Connection& to, const File& file, const Pipe& whole, const Pipe& pipe) {
  const std::size_t size = file.content.size();
  const auto copied = call([&] { return tee(whole.out.get(), pipe.in.get(), size, 0); });
  if (copied != size) throw brood::Error("a pipe is too small for an answer");
  drain(pipe, to, size);
}

}  // namespace patterns
