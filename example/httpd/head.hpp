// SPDX-License-Identifier: MIT
// Writes the head of an answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "status.hpp"

namespace httpd {

class Head {
 public:
  // Appends to `out`.
  Head(std::string& out, Status status);
  Head& field(std::string_view name, std::string_view value);
  Head& field(std::string_view name, std::uint64_t value);
  Head& line(std::string_view field);  // with its end
  void end(bool keep_alive);

 private:
  std::string& out_;
};

}  // namespace httpd
