// SPDX-License-Identifier: MIT
// The whole contents of a file or of anonymous memory, through a descriptor. Both throw SystemError; `doing`
// says what is written or read.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "brood/descriptor.hpp"
#include "brood/error.hpp"

namespace brood {

inline void write_all(const Descriptor& to, std::string_view data, const char* doing) {
  while (!data.empty()) {
    const ssize_t written = ::write(to.get(), data.data(), data.size());
    if (written < 0) throw SystemError(doing, errno);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
}

// From the start, wherever the descriptor's offset is. Stops when it has more than `enough` bytes.
inline std::string read_all(const Descriptor& from, const char* doing, std::size_t enough = SIZE_MAX) {
  std::string content;
  std::array<char, 16384> buffer{};
  while (content.size() <= enough) {
    const ssize_t size =
        ::pread(from.get(), buffer.data(), buffer.size(), static_cast<off_t>(content.size()));
    if (size < 0) throw SystemError(doing, errno);
    if (size == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return content;
}

}  // namespace brood
