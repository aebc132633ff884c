// SPDX-License-Identifier: MIT
#include "base/crash/process_stack.hpp"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/crash/libdw.hpp"
#include "base/crash/place_in_code.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr std::size_t most_frames = 64;

// The threads of a process that this one may stop. It can do so, and read their memory, also when it has
// given up its privileges since.
class Attached {
 public:
  explicit Attached(pid_t pid) {
    // A thread may be started in the meantime.
    while (add_threads(pid)) {
    }
  }

  // Calls `look` while the thread is stopped. A system call that it was in goes on afterwards.
  void look_at(pid_t thread, const std::function<void()>& look) const {
    if (std::ranges::find(threads_, thread) == threads_.end()) return;
    int status = 0;
    if (::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 ||
        ::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status))
      return;  // it has ended
    look();
    // Not by us: a signal has come, which it would lack.
    const bool by_signal = status >> 16 == 0;
    ::ptrace(PTRACE_DETACH, thread, nullptr, by_signal ? WSTOPSIG(status) : 0);
  }

 private:
  bool add_threads(pid_t pid) {
    bool any = false;
    const std::string directory = text("/proc/", pid, "/task");
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      const auto thread = parse_number<pid_t>(entry.path().filename().string()).value_or(0);
      if (std::ranges::find(threads_, thread) != threads_.end()) continue;
      if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) == 0) {
        threads_.push_back(thread);
        any = true;
      } else if (errno != ESRCH) {
        throw SystemError(text("process ", pid, ": look at it"), errno);
      }
    }
    if (error) throw SystemError(text("process ", pid, ": look at it"), error.value());
    return any;
  }

  std::vector<pid_t> threads_;  // they are let go when this process ends, if not before
};

struct Thread {
  pid_t id = 0;
  std::vector<Dwarf_Addr> addresses{};  // of its frames, the innermost first
};

struct Reading {
  const Libdw& libdw;
  const Attached& process;
  std::vector<Thread> threads{};
};

int read_frame(Dwfl_Frame* frame, void* argument) {
  Reading& reading = *static_cast<Reading*>(argument);
  std::vector<Dwarf_Addr>& addresses = reading.threads.back().addresses;
  Dwarf_Addr address = 0;
  bool is_exact = false;
  if (addresses.size() == most_frames || !reading.libdw.frame_pc(frame, &address, &is_exact))
    return DWARF_CB_ABORT;
  addresses.push_back(is_exact ? address : address - 1);
  return DWARF_CB_OK;
}

int read_thread(Dwfl_Thread* thread, void* argument) {
  Reading& reading = *static_cast<Reading*>(argument);
  const pid_t id = reading.libdw.thread_tid(thread);
  reading.threads.push_back({.id = id});
  // It also fails at the end of a stack.
  reading.process.look_at(id, [&] { reading.libdw.thread_getframes(thread, read_frame, argument); });
  return DWARF_CB_OK;
}

// When the thread goes on already.
ThreadStack name_frames(const Libdw& libdw, Dwfl* session, const Thread& thread) {
  ThreadStack stack{.thread = thread.id};
  for (const Dwarf_Addr address : thread.addresses) {
    Dwfl_Module* const module = libdw.addrmodule(session, address);
    PlaceInCode place;
    std::string where = in_hexadecimal(address);
    if (module != nullptr) {
      place = place_at(libdw, module, address);
      GElf_Addr bias = 0;
      libdw.module_getelf(module, &bias);
      const char* const file =
          libdw.module_info(module, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
      where = text(file_name(file == nullptr ? "?" : file), '+', in_hexadecimal(address - bias));
    }
    if (place.is_outermost()) break;
    stack.frames.push_back(text('#', stack.frames.size(), ' ', place.described(), " (", where, ')'));
  }
  return stack;
}

}  // namespace

std::vector<ThreadStack> stacks_of_process(pid_t pid, const std::function<void()>& attached) {
  const Libdw* const libdw = Libdw::load();
  if (libdw == nullptr) throw Error("libdw.so.1 is missing: install libdw1 (elfutils-libs, elfutils)");
  char* debug_path = nullptr;
  const Dwfl_Callbacks callbacks{.find_elf = libdw->linux_proc_find_elf,
                                 .find_debuginfo = libdw->standard_find_debuginfo,
                                 .section_address = nullptr,
                                 .debuginfo_path = &debug_path};
  const std::unique_ptr<Dwfl, decltype(&::dwfl_end)> session(libdw->begin(&callbacks), libdw->end);
  const auto check = [&](int result) {
    if (result == 0) return;
    const char* const why = result < 0 ? libdw->errmsg(-1) : nullptr;
    throw Error(text("process ", pid, ": ",
                     result > 0 ? SystemError("look at it", result).what()
                                : (why == nullptr ? "it can't be looked at" : why)));
  };
  check(session ? 0 : -1);
  check(libdw->linux_proc_report(session.get(), pid));
  check(libdw->report_end(session.get(), nullptr, nullptr));
  const Attached process(pid);
  if (attached) attached();
  check(libdw->linux_proc_attach(session.get(), pid, true));
  Reading reading{.libdw = *libdw, .process = process};
  check(libdw->getthreads(session.get(), read_thread, &reading));
  std::vector<ThreadStack> stacks;
  for (const Thread& thread : reading.threads) stacks.push_back(name_frames(*libdw, session.get(), thread));
  return stacks;
}

}  // namespace brood
