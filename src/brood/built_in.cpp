// SPDX-License-Identifier: MIT
#include "built_in.hpp"

#include <array>

#include "brood/connection.hpp"

namespace brood {

const std::vector<std::string>& BuiltIn::names() {
  static const std::vector<std::string> all = {"echo", "discard"};
  return all;
}

void BuiltIn::handle_connection(Connection& connection) {
  std::array<char, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is filled
  const bool answers = name_ == "echo";
  while (const auto size = connection.read_some(buffer))
    if (answers) connection.write_all({buffer.data(), size});
}

}  // namespace brood
