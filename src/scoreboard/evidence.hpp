// SPDX-License-Identifier: MIT
// What a child that a signal ends leaves in its place on the scoreboard: the signal, the exception that
// nobody caught, and its stack. The child's signal handler writes it (child/crash), with plain stores; the
// parent reads it when the child is gone. Names come later (base/crash): here are modules and offsets.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/crash/crash.hpp"

namespace brood {

template <std::size_t bytes>
using EvidenceBytes = std::array<std::atomic<std::uint64_t>, bytes / 8>;

// Part of the layout of the scoreboard, gossip.
struct alignas(64) Evidence {
  static constexpr std::size_t most_frames = 32, most_modules = 8, build_id_size = 24;
  static constexpr unsigned module_shift = 56;
  static constexpr std::uint64_t no_module = 0xff;

  struct Module {
    EvidenceBytes<128> path;  // padded with NUL; cut in front if it is too long
    EvidenceBytes<build_id_size> build_id;
    std::atomic<std::uint64_t> build_id_bytes;
  };

  std::atomic<std::uint64_t> incarnation;  // of the child that has written it; 0: there is none
  std::atomic<std::uint64_t> address;  // that could not be read, written or executed, if the kernel says so
  std::atomic<std::int32_t> signal, code;  // si_code
  std::atomic<std::int32_t> thread;        // its id; that of the process: the main thread
  std::atomic<std::uint32_t> frames, modules;
  EvidenceBytes<96> exception_type;  // as the compiler has mangled it; empty: there is none
  EvidenceBytes<160> message;        // what() of the exception
  // The innermost first: the index of the module, or no_module, above module_shift; below it the offset in
  // the module as its ELF file counts. It points into the instruction that was executed, or into the call.
  std::array<std::atomic<std::uint64_t>, most_frames> frame;
  std::array<Module, most_modules> module;
};

// ---- in the child. Both are safe in a signal handler. What does not fit is cut.
void write_bytes(std::atomic<std::uint64_t>* to, std::size_t size, std::string_view from);
template <std::size_t words>
void write_bytes(std::array<std::atomic<std::uint64_t>, words>& to, std::string_view from) {
  write_bytes(to.data(), words * sizeof(std::uint64_t), from);
}

// ---- in the parent
// Bounds all that it reads. Empty (signal 0): that child has left nothing.
CrashEvidence read_evidence(const Evidence& evidence, std::uint64_t incarnation);

}  // namespace brood
