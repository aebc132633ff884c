// SPDX-License-Identifier: MIT
#include "base/crash/crash.hpp"

#include <csignal>

#include "base/crash/place_in_code.hpp"
#include "base/text.hpp"

namespace brood {
namespace {

std::string for_memory(std::uint64_t bytes) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  return bytes < 10 * mebibyte ? text(bytes >> 10U, " KiB") : text(bytes / mebibyte, " MiB");
}

// For a fault, what the kernel says of the address.
std::string about_address(const CrashEvidence& evidence) {
  if (evidence.code <= 0) return "";
  const std::string address = in_hexadecimal(evidence.address);
  if (evidence.signal == SIGSEGV && evidence.code == SEGV_MAPERR) return "nothing is mapped at " + address;
  if (evidence.signal == SIGSEGV && evidence.code == SEGV_ACCERR) return "no permission at " + address;
  if (evidence.signal == SIGBUS) return "no memory behind " + address;
  if (evidence.signal == SIGFPE && evidence.code == FPE_INTDIV) return "division by zero";
  return "";
}

}  // namespace

void write_frames_without_names(Crash& crash) {
  const CapturedStack& stack = crash.evidence.stack;
  crash.frames.clear();
  for (const StackFrame& frame : stack.frames) {
    const bool known = frame.module < stack.modules.size();
    crash.frames.push_back(text('#', crash.frames.size(), ' ',
                                known ? stack.modules[frame.module].path + '+' : "",
                                in_hexadecimal(frame.offset)));
  }
  crash.top = crash.frames.empty() ? "" : crash.frames.front().substr(3);
}

std::vector<std::string> describe(const Crash& crash) {
  std::vector<std::string> lines;
  const std::string address = about_address(crash.evidence);
  const pid_t thread = crash.evidence.thread;
  lines.push_back(text(address.empty() ? "" : address + "; ",
                       thread != 0 && thread != crash.pid ? text("in thread ", thread, "; ") : "",
                       crash.finished, " connections finished, at most ", for_memory(crash.memory),
                       " of memory, ", std::chrono::nanoseconds(crash.processor), " of processor time"));
  if (!crash.exception.empty()) lines.push_back("uncaught " + crash.exception);
  lines.insert(lines.end(), crash.frames.begin(), crash.frames.end());
  return lines;
}

}  // namespace brood
