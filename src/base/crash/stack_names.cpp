// SPDX-License-Identifier: MIT
#include "base/crash/stack_names.hpp"

#include <sys/stat.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/crash/libdw.hpp"
#include "base/crash/place_in_code.hpp"
#include "base/text.hpp"

namespace brood {
namespace {

std::string in_hexadecimal_digits(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string all;
  for (const char byte : bytes) {
    all += digits[static_cast<unsigned char>(byte) >> 4U];
    all += digits[static_cast<unsigned char>(byte) & 0xfU];
  }
  return all;
}

// What a child has named may be a device or a FIFO.
bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// One ELF file with its debug information.
class ModuleNames {
 public:
  ModuleNames(const Libdw& libdw, const StackModule& module) : libdw_(libdw), session_(nullptr, libdw.end) {
    if (open(module.path, module.build_id) || module.build_id.size() < 2) return;
    // The file has gone or was replaced since.
    const std::string id = in_hexadecimal_digits(module.build_id);
    open(text("/usr/lib/debug/.build-id/", id.substr(0, 2), '/', id.substr(2), ".debug"), module.build_id);
  }

  PlaceInCode at(std::uint64_t offset) const {
    return module_ == nullptr ? PlaceInCode() : place_at(libdw_, module_, offset);
  }

 private:
  bool open(const std::string& path, const std::string& build_id) {
    if (!is_file(path)) return false;
    session_.reset(libdw_.begin(&callbacks_));
    if (!session_) return false;
    libdw_.report_begin(session_.get());
    module_ = libdw_.report_elf(session_.get(), path.c_str(), path.c_str(), -1, 0, true);
    libdw_.report_end(session_.get(), nullptr, nullptr);
    if (module_ == nullptr) return false;
    const unsigned char* bytes = nullptr;
    GElf_Addr address = 0;
    const int size = libdw_.module_build_id(module_, &bytes, &address);
    const std::string_view found(reinterpret_cast<const char*>(bytes),
                                 static_cast<std::size_t>(size > 0 ? size : 0));
    if (found == build_id) return true;
    module_ = nullptr;
    return false;
  }

  const Libdw& libdw_;
  char* debug_path_ = nullptr;
  Dwfl_Callbacks callbacks_{.find_elf = libdw_.build_id_find_elf,
                            .find_debuginfo = libdw_.standard_find_debuginfo,
                            .section_address = libdw_.offline_section_address,
                            .debuginfo_path = &debug_path_};
  std::unique_ptr<Dwfl, decltype(&::dwfl_end)> session_;
  Dwfl_Module* module_ = nullptr;
};

// Their functions are where a crash ends, and not where it comes from.
bool is_of_library(std::string_view path) {
  const std::string_view name = file_name(path);
  constexpr std::array<std::string_view, 6> libraries = {"libc.so", "libstdc++.so",  "libgcc_s.so",
                                                         "libm.so", "libpthread.so", "ld-linux"};
  for (const std::string_view library : libraries)
    if (name.starts_with(library)) return true;
  return false;
}

// A function that calls itself until the stack is full would fill the log.
void join_equal_frames(std::vector<std::string>& frames) {
  const auto place = [](const std::string& frame) { return std::string_view(frame).substr(frame.find(' ')); };
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < frames.size() && place(frames[last + 1]) == place(frames[i])) ++last;
    joined.push_back(frames[i]);
    if (last > i) joined.push_back(text('#', i + 1, " to #", last, " the same"));
    i = last;
  }
  frames = std::move(joined);
}

}  // namespace

void name_stack(Crash& crash) {
  write_frames_without_names(crash);
  const CrashEvidence& evidence = crash.evidence;
  if (!evidence.exception_type.empty())
    crash.exception =
        demangled(evidence.exception_type) + (evidence.message.empty() ? "" : text(": ", evidence.message));
  const Libdw* const libdw = Libdw::load();
  if (libdw == nullptr) return;
  std::map<std::size_t, ModuleNames> modules;
  bool has_top = false;
  bool threw = !evidence.exception_type.empty();  // then the first place without a name is the kit's
  for (std::size_t i = 0; i < evidence.stack.frames.size(); ++i) {
    const StackFrame& frame = evidence.stack.frames[i];
    if (frame.module >= evidence.stack.modules.size()) continue;
    const StackModule& file = evidence.stack.modules[frame.module];
    const PlaceInCode place = modules.try_emplace(frame.module, *libdw, file).first->second.at(frame.offset);
    const std::string bare = crash.frames[i].substr(crash.frames[i].find(' ') + 1);
    if (!place.function.empty() || !place.source.empty())
      crash.frames[i] = text('#', i, ' ', place.described(), " (", file_name(bare), ')');
    if (place.is_outermost()) {
      crash.frames.resize(i);
      break;
    }
    if (has_top || is_of_library(file.path) || place.is_handler_of_kit()) continue;
    if (place.function.empty() && std::exchange(threw, false)) continue;
    has_top = true;
    crash.top = place.function.empty() ? std::string(file_name(bare)) : place.function;
  }
  join_equal_frames(crash.frames);
}

}  // namespace brood
