// SPDX-License-Identifier: MIT
#include "base/sandbox/call_filter.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"

#ifdef BROOD_SECCOMP

#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>

#include "base/descriptor_io.hpp"
#include "base/sandbox/call_groups.hpp"

namespace brood {
namespace {

struct Release {
  void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

[[noreturn]] void fail(const char* what, int negative_error_number) {
  throw ConfigurationError(SystemError(what, -negative_error_number).what());
}

using Comparisons = std::vector<scmp_arg_cmp>;

scmp_arg_cmp is(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp has_bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void add(const Context& filter, std::uint32_t action, std::string_view call, const Comparisons& when = {}) {
  const int number = ::seccomp_syscall_resolve_name(std::string(call).c_str());
  if (number == __NR_SCMP_ERROR) return;  // libseccomp is older than the call
  const int failed =
      ::seccomp_rule_add_array(filter.get(), action, number, static_cast<unsigned>(when.size()), when.data());
  // The architecture may not have the call, or not under a number of its own.
  if (failed != 0 && failed != -EDOM && failed != -EINVAL) fail("add a call to the filter", failed);
}

void allow(const Context& filter, std::string_view call, const Comparisons& when = {}) {
  add(filter, SCMP_ACT_ALLOW, call, when);
}

// Unix sockets (syslog, nscd), UDP (name servers, time servers), and the kernel's list of addresses, which
// getaddrinfo(3) sorts by.
void allow_sockets(const Context& filter, bool network) {
  constexpr std::uint64_t type_mask = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
  allow(filter, "socket", {is(0, AF_UNIX)});
  allow(filter, "socket", {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)});
  for (const int family : {AF_INET, AF_INET6})
    if (network)
      allow(filter, "socket", {is(0, static_cast<std::uint64_t>(family))});
    else
      allow(filter, "socket",
            {is(0, static_cast<std::uint64_t>(family)), has_bits(1, type_mask, SOCK_DGRAM)});
}

// Threads; and processes, but without namespaces of their own.
void allow_clones(const Context& filter, bool processes) {
#ifdef __s390__
  constexpr unsigned flags = 1;
#else
  constexpr unsigned flags = 0;
#endif
  constexpr std::uint64_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  if (processes)
    allow(filter, "clone", {has_bits(flags, namespaces, 0)});
  else
    allow(filter, "clone", {has_bits(flags, CLONE_THREAD, CLONE_THREAD)});
}

std::set<std::string, std::less<>> calls_of(const std::vector<std::string>& allowed, ProgramCalls program) {
  std::set<std::string, std::less<>> calls;
  const auto add_all = [&](std::span<const std::string_view> names) {
    for (const auto name : names)
      if (name != "socket" && name != "clone") calls.emplace(name);
  };
  add_all(base_calls());
  if (program != ProgramCalls::none) calls.emplace("execve");
  if (program == ProgramCalls::starts_it) add_all(find_group("@processes")->calls);
  for (const auto& word : allowed)
    if (const CallGroup* const group = find_group(word))
      add_all(group->calls);
    else
      calls.insert(word);
  return calls;
}

CallFilter exported(const Context& filter) {
  const Descriptor memory(::memfd_create("brood-filter", MFD_CLOEXEC));
  if (!memory) throw SystemError("make memory for a filter of system calls", errno);
  if (const int failed = ::seccomp_export_bpf(filter.get(), memory.get()); failed != 0)
    fail("write a filter of system calls", failed);
  constexpr std::size_t most = BPF_MAXINSNS * sizeof(sock_filter);
  const std::string content = read_all(memory, "read a filter of system calls", most);
  if (content.empty() || content.size() > most || content.size() % sizeof(sock_filter) != 0)
    throw ConfigurationError("makes a filter that is too large for the kernel");
  CallFilter instructions(content.size() / sizeof(sock_filter));
  std::memcpy(instructions.data(), content.data(), content.size());
  return instructions;
}

CallFilter make(const std::vector<std::string>& allowed, ProgramCalls program) {
  const auto calls = calls_of(allowed, program);
  const auto has = [&](std::string_view word) { return std::ranges::find(allowed, word) != allowed.end(); };
  const Context filter(::seccomp_init(SCMP_ACT_NOTIFY));
  if (!filter) throw ConfigurationError("needs a newer libseccomp, or more memory");
  // Calls in the way of another architecture, as of a 32-bit program, are not looked through: all wait.
  for (const auto& [attribute, value] : {std::pair{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_NOTIFY},
                                         std::pair{SCMP_FLTATR_CTL_OPTIMIZE, std::uint32_t{2}}})
    if (const int failed = ::seccomp_attr_set(filter.get(), attribute, value); failed != 0)
      fail("set up a filter of system calls", failed);
  for (const auto& call : calls) allow(filter, call);
  if (!calls.contains("socket")) allow_sockets(filter, has("@network"));
  if (!calls.contains("clone")) allow_clones(filter, has("@processes") || program == ProgramCalls::starts_it);
  // Its flags are in memory, which a filter cannot read. The C library uses clone() then.
  if (!calls.contains("clone3")) add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3");
  return exported(filter);
}

}  // namespace

bool can_filter_calls() { return true; }

void check_call_word(const std::string& word) {
  if (find_group(word) != nullptr) return;
  if (::seccomp_syscall_resolve_name(word.c_str()) != __NR_SCMP_ERROR) return;
  const std::string as_group = '@' + word;
  std::vector<std::string> names;
  for (const auto call : base_calls()) names.emplace_back(call);
  for (const auto& group : call_groups()) {
    names.emplace_back(group.name);
    names.insert(names.end(), group.calls.begin(), group.calls.end());
  }
  throw ConfigurationError(text("names ", word, ", which is no ",
                                word.starts_with('@') ? "group" : "system call",
                                did_you_mean(find_group(as_group) != nullptr ? as_group : word, names)));
}

std::shared_ptr<const CallFilter> make_call_filter(std::vector<std::string> allowed, ProgramCalls program) {
  // It takes a millisecond or more, and many services have the same; parent only.
  static std::map<std::pair<std::vector<std::string>, ProgramCalls>, std::weak_ptr<const CallFilter>> made;
  std::erase_if(made, [](const auto& entry) { return entry.second.expired(); });
  std::sort(allowed.begin(), allowed.end());
  auto& kept = made[{allowed, program}];
  if (auto filter = kept.lock()) return filter;
  auto filter = std::make_shared<const CallFilter>(make(allowed, program));
  kept = filter;
  return filter;
}

std::string call_name(std::uint32_t architecture, int number) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      ::seccomp_syscall_resolve_num_arch(architecture, number), &std::free);
  return name ? name.get() : "";
}

}  // namespace brood

#else

namespace brood {

bool can_filter_calls() { return false; }

void check_call_word(const std::string& /*word*/) {}

std::shared_ptr<const CallFilter> make_call_filter(std::vector<std::string> /*allowed*/,
                                                   ProgramCalls /*program*/) {
  throw ConfigurationError(
      "cannot be: this program was built without libseccomp; install libseccomp-dev and build it again");
}

std::string call_name(std::uint32_t /*architecture*/, int /*number*/) { return ""; }

}  // namespace brood

#endif
