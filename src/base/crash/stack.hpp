// SPDX-License-Identifier: MIT
// The stack of a process as it was captured: files and places in them, without names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace brood {

struct StackModule {
  std::string path;      // of its ELF file, as the process saw it
  std::string build_id;  // its bytes; empty: it has none
};

struct StackFrame {
  static constexpr std::size_t no_module = SIZE_MAX;
  std::size_t module = no_module;  // index; no_module: the offset is an address of no file
  std::uint64_t offset = 0;        // an address as the ELF file counts them
};

struct CapturedStack {
  std::vector<StackModule> modules;
  std::vector<StackFrame> frames;  // the innermost first
};

}  // namespace brood
