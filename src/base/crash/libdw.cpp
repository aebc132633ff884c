// SPDX-License-Identifier: MIT
#include "base/crash/libdw.hpp"

#include <dlfcn.h>

#include <optional>
#include <type_traits>

namespace brood {
namespace {

std::optional<Libdw> find_functions() {
  void* const library = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {};
  bool all = true;
  const auto find = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    all = all && function != nullptr;
  };
  Libdw found{};
  find("dwfl_begin", found.begin);
  find("dwfl_end", found.end);
  find("dwfl_report_begin", found.report_begin);
  find("dwfl_report_elf", found.report_elf);
  find("dwfl_report_end", found.report_end);
  find("dwfl_module_build_id", found.module_build_id);
  find("dwfl_module_addrinfo", found.module_addrinfo);
  find("dwfl_module_getsrc", found.module_getsrc);
  find("dwfl_lineinfo", found.lineinfo);
  find("dwfl_build_id_find_elf", found.build_id_find_elf);
  find("dwfl_standard_find_debuginfo", found.standard_find_debuginfo);
  find("dwfl_offline_section_address", found.offline_section_address);
  find("dwfl_linux_proc_report", found.linux_proc_report);
  find("dwfl_linux_proc_attach", found.linux_proc_attach);
  find("dwfl_linux_proc_find_elf", found.linux_proc_find_elf);
  find("dwfl_getthreads", found.getthreads);
  find("dwfl_thread_tid", found.thread_tid);
  find("dwfl_thread_getframes", found.thread_getframes);
  find("dwfl_frame_pc", found.frame_pc);
  find("dwfl_addrmodule", found.addrmodule);
  find("dwfl_module_info", found.module_info);
  find("dwfl_module_getelf", found.module_getelf);
  find("dwfl_errmsg", found.errmsg);
  find("dwfl_errno", found.error_number);
  if (!all) return {};
  return found;
}

}  // namespace

const Libdw* Libdw::load() {
  static const std::optional<Libdw> functions = find_functions();
  return functions ? &*functions : nullptr;
}

}  // namespace brood
