// SPDX-License-Identifier: MIT
// Reads the PROXY header of one connection, and not a byte of what follows it: that may be for another
// program. Never waits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "brood/proxy_header.hpp"

namespace brood {

class HeaderReader {
 public:
  enum class State : std::uint8_t {
    more,    // it has not come yet, or not all of it
    whole,   // header()
    wrong,   // mistake()
    absent,  // the connection has ended before its first byte
    cut_off  // or within the header
  };

  // Reads what there is, until the state is another one than `more`.
  State read(int socket);

  ProxyHeader& header() { return header_; }
  std::string_view mistake() const { return mistake_; }

 private:
  std::string begin_;  // what has been read of it
  ProxyHeader header_;
  std::string_view mistake_;
};

}  // namespace brood
