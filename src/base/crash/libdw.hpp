// SPDX-License-Identifier: MIT
// The functions of elfutils' libdw that the kit calls. The library is loaded when they are wanted first, in a
// process that wants them: a server needs it neither to start nor in its children.
#pragma once

#include <elfutils/libdwfl.h>

namespace brood {

struct Libdw {
  decltype(&::dwfl_begin) begin;
  decltype(&::dwfl_end) end;
  decltype(&::dwfl_report_begin) report_begin;
  decltype(&::dwfl_report_elf) report_elf;
  decltype(&::dwfl_report_end) report_end;
  decltype(&::dwfl_module_build_id) module_build_id;
  decltype(&::dwfl_module_addrinfo) module_addrinfo;
  decltype(&::dwfl_module_getsrc) module_getsrc;
  decltype(&::dwfl_lineinfo) lineinfo;
  decltype(&::dwfl_build_id_find_elf) build_id_find_elf;
  decltype(&::dwfl_standard_find_debuginfo) standard_find_debuginfo;
  decltype(&::dwfl_offline_section_address) offline_section_address;
  // Of a process that lives:
  decltype(&::dwfl_linux_proc_report) linux_proc_report;
  decltype(&::dwfl_linux_proc_attach) linux_proc_attach;
  decltype(&::dwfl_linux_proc_find_elf) linux_proc_find_elf;
  decltype(&::dwfl_getthreads) getthreads;
  decltype(&::dwfl_thread_tid) thread_tid;
  decltype(&::dwfl_thread_getframes) thread_getframes;
  decltype(&::dwfl_frame_pc) frame_pc;
  decltype(&::dwfl_addrmodule) addrmodule;
  decltype(&::dwfl_module_info) module_info;
  decltype(&::dwfl_module_getelf) module_getelf;
  decltype(&::dwfl_errmsg) errmsg;
  decltype(&::dwfl_errno) error_number;

  // nullptr: it is not installed.
  static const Libdw* load();
};

}  // namespace brood
