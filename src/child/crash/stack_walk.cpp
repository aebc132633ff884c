// SPDX-License-Identifier: MIT
#include "child/crash/stack_walk.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "scoreboard/slot.hpp"

namespace brood {
namespace {

std::array<char, 512> program_path{};  // of this program, whose name the loader leaves empty

struct Module {
  dl_find_object found{};
  bool is_known = false;
};

Module module_of(std::uintptr_t address) {
  Module module;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what is looked up
  module.is_known = ::_dl_find_object(reinterpret_cast<void*>(address), &module.found) == 0;
  return module;
}

std::string_view build_id_in(const char* notes, std::size_t size) {
  const auto padded = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof header);
    const std::size_t name = sizeof header, content = name + padded(header.n_namesz);
    const std::size_t next = content + padded(header.n_descsz);
    if (next > size) return {};
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == 4 && std::memcmp(notes + name, "GNU", 4) == 0)
      return {notes + content, header.n_descsz};
    notes += next;
    size -= next;
  }
  return {};
}

// From the mapped start of the file.
std::string_view build_id_of(const dl_find_object& object) {
  const auto* const start = static_cast<const char*>(object.dlfo_map_start);
  ElfW(Ehdr) header;
  std::memcpy(&header, start, sizeof header);
  if (std::memcmp(static_cast<const void*>(header.e_ident), ELFMAG, SELFMAG) != 0 || header.e_phoff > 1024)
    return {};
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    std::memcpy(&segment, start + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader says where it is
    const auto* const notes = reinterpret_cast<const char*>(object.dlfo_link_map->l_addr + segment.p_vaddr);
    if (const auto id = build_id_in(notes, segment.p_memsz); !id.empty()) return id;
  }
  return {};
}

class StackWriter {
 public:
  explicit StackWriter(Evidence& to) : to_(to) {}

  bool full() const { return frames_ == Evidence::most_frames; }
  void add(std::uintptr_t address) {
    if (full()) return;
    const Module of = module_of(address);
    const std::uint64_t module = of.is_known ? index_of(of) : Evidence::no_module;
    const std::uint64_t offset =
        module == Evidence::no_module ? address : address - of.found.dlfo_link_map->l_addr;
    constexpr std::uint64_t most = (std::uint64_t{1} << Evidence::module_shift) - 1;
    to_.frame.at(frames_).store(module << Evidence::module_shift | (offset & most), relaxed);
    to_.frames.store(++frames_, relaxed);
  }

 private:
  std::uint64_t index_of(const Module& module) {
    const link_map* const map = module.found.dlfo_link_map;
    for (std::uint32_t i = 0; i < modules_; ++i)
      if (known_.at(i) == map) return i;
    if (modules_ == Evidence::most_modules) return Evidence::no_module;
    known_.at(modules_) = map;
    Evidence::Module& row = to_.module.at(modules_);
    const char* const name = *map->l_name == '\0' ? program_path.data() : map->l_name;
    constexpr std::size_t room = sizeof row.path;
    const std::size_t size = std::strlen(name);
    write_bytes(row.path, {name + (size > room ? size - room : 0), std::min(size, room)});
    const std::string_view id = build_id_of(module.found);
    write_bytes(row.build_id, id);
    row.build_id_bytes.store(std::min(id.size(), Evidence::build_id_size), relaxed);
    to_.modules.store(modules_ + 1, relaxed);
    return modules_++;
  }

  Evidence& to_;
  std::uint32_t frames_ = 0, modules_ = 0;
  std::array<const link_map*, Evidence::most_modules> known_{};
};

struct Walk {
  StackWriter* to;
  std::uintptr_t from;  // the frames of the signal handler come before this place; 0: write all
  bool has_begun;
  bool is_call;  // `from` is where a call returns to
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* argument) {
  Walk& walk = *static_cast<Walk*>(argument);
  int is_exact = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &is_exact);
  if (address == 0) return _URC_END_OF_STACK;
  const bool begins = !walk.has_begun && address == walk.from;
  walk.has_begun = walk.has_begun || begins;
  if (walk.has_begun) walk.to->add(is_exact != 0 && !(begins && walk.is_call) ? address : address - 1);
  return walk.to->full() ? _URC_END_OF_STACK : _URC_NO_REASON;
}

// Where the interrupted code was, and where it would return to if it had just been called.
struct Place {
  explicit Place(void* context) : registers(static_cast<ucontext_t*>(context)->uc_mcontext) {}

#if defined(__x86_64__)
  static constexpr bool is_known = true;
  std::uintptr_t pc() const { return static_cast<std::uintptr_t>(registers.gregs[REG_RIP]); }
  std::uintptr_t caller() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a register
    return *reinterpret_cast<const std::uintptr_t*>(registers.gregs[REG_RSP]);
  }
  void return_to(std::uintptr_t address) {
    registers.gregs[REG_RIP] = static_cast<greg_t>(address);
    registers.gregs[REG_RSP] += static_cast<greg_t>(sizeof address);
  }
#elif defined(__aarch64__)
  static constexpr bool is_known = true;
  std::uintptr_t pc() const { return registers.pc; }
  std::uintptr_t caller() const { return registers.regs[30]; }
  void return_to(std::uintptr_t address) { registers.pc = address; }
#else
  static constexpr bool is_known = false;
  std::uintptr_t pc() const { return 0; }
  std::uintptr_t caller() const { return 0; }
  void return_to(std::uintptr_t /*address*/) {}
#endif

  mcontext_t& registers;
};

}  // namespace

void write_stack(Evidence& to, void* context) {
  to.frames.store(0, relaxed);
  to.modules.store(0, relaxed);
  StackWriter writer(to);
  Place place(context);
  const mcontext_t before = place.registers;
  Walk walk{.to = &writer, .from = place.pc(), .has_begun = !Place::is_known, .is_call = false};
  // A call of a function that is none: the unwinder can't begin there. It begins where the call was made.
  if (Place::is_known && !module_of(place.pc()).is_known) {
    writer.add(place.pc());
    if (const std::uintptr_t caller = place.caller(); module_of(caller).is_known) {
      walk.from = caller;
      walk.is_call = true;
      place.return_to(caller);
    }
  }
  _Unwind_Backtrace(step, &walk);
  place.registers = before;
  if (walk.has_begun) return;
  walk.has_begun = true;  // it was not found: with the frames of the handler
  _Unwind_Backtrace(step, &walk);
}

void prepare_stack_walks() {
  if (program_path.front() != '\0') return;
  const ssize_t size = ::readlink("/proc/self/exe", program_path.data(), program_path.size() - 1);
  constexpr std::string_view replaced = " (deleted)";
  std::string_view path(program_path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (path.ends_with(replaced)) path.remove_suffix(replaced.size());
  program_path.at(path.size()) = '\0';
  if (path.empty()) program_path.front() = '?';
  Evidence nothing{};
  StackWriter writer(nothing);
  Walk walk{.to = &writer, .from = 0, .has_begun = true, .is_call = false};
  _Unwind_Backtrace(step, &walk);
}

}  // namespace brood
