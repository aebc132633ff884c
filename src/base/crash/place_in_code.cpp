// SPDX-License-Identifier: MIT
#include "base/crash/place_in_code.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <iterator>
#include <memory>

#include "base/crash/libdw.hpp"
#include "base/text.hpp"

namespace brood {

std::string PlaceInCode::described() const {
  return (function.empty() ? "?" : function) + (source.empty() ? "" : " at " + source);
}

bool PlaceInCode::is_outermost() const {
  return function.starts_with("brood::child_main(") || function.starts_with("brood::exit_code_of(");
}

bool PlaceInCode::is_handler_of_kit() const { return function.starts_with("brood::crash_handler::"); }

PlaceInCode place_at(const Libdw& libdw, Dwfl_Module* module, std::uint64_t address) {
  PlaceInCode place;
  GElf_Off within = 0;
  GElf_Sym symbol;
  const char* const name =
      libdw.module_addrinfo(module, address, &within, &symbol, nullptr, nullptr, nullptr);
  if (name != nullptr) place.function = demangled(name);
  Dwfl_Line* const line = libdw.module_getsrc(module, address);
  int number = 0;
  const char* const source =
      line == nullptr ? nullptr : libdw.lineinfo(line, nullptr, &number, nullptr, nullptr, nullptr);
  if (source != nullptr) place.source = text(std::string_view(source), ':', number);
  return place;
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  std::string readable = status == 0 && name ? name.get() : symbol;
  constexpr std::string_view long_name =
      "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
  for (auto at = readable.find(long_name); at != std::string::npos; at = readable.find(long_name, at))
    readable.replace(at, long_name.size(), "std::string");
  return readable;
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string in_hexadecimal(std::uint64_t number) {
  char digits[17];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
  return "0x" + std::string(std::begin(digits), end);
}

}  // namespace brood
