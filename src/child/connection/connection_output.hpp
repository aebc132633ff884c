// SPDX-License-Identifier: MIT
// What was written to a connection and the peer has not taken yet, in order.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "brood/connection.hpp"

namespace brood {

struct Connection::Output {
  struct Piece {
    std::string data;
    Descriptor file;  // if there is one, `size` bytes of it from `offset` on; else `data` from `offset` on
    std::uint64_t offset = 0, size = 0;
  };
  std::deque<Piece> pieces;
  bool ends = false;  // then nothing more is written
};

}  // namespace brood
