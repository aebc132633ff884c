// SPDX-License-Identifier: MIT
// The name of a place in a program. In any process but the parent: it reads what a child has named.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

struct Dwfl_Module;

namespace brood {

struct Libdw;

struct PlaceInCode {
  std::string function;  // empty: not known
  std::string source;    // "server.cpp:12"; empty: not known

  // "greet(User&) at greeter.cpp:31"
  std::string described() const;
  // What is below it on a stack is the same for every handler.
  bool is_outermost() const;
  bool is_handler_of_kit() const;  // std::terminate() has called it
};

PlaceInCode place_at(const Libdw& libdw, Dwfl_Module* module, std::uint64_t address);

std::string demangled(const std::string& symbol);  // as it is, if it is no mangled name
std::string_view file_name(std::string_view path);
std::string in_hexadecimal(std::uint64_t number);  // "0x1f"

}  // namespace brood
