// SPDX-License-Identifier: MIT
// Which system calls a sandbox allows: the groups, and the filter that is made of them, in a process that is
// under it.
#include <doctest/doctest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <set>

#include "base/sandbox/call_filter.hpp"
#include "base/sandbox/call_groups.hpp"
#include "brood/error.hpp"

using namespace brood;

namespace {

bool skipped_without_libseccomp() {
  if (!can_filter_calls()) MESSAGE("skipped: built without libseccomp");
  return !can_filter_calls();
}

}  // namespace

TEST_CASE("a call is in the base set or in a group, and no call is in two groups") {
  std::set<std::string_view> seen;
  for (const auto& group : call_groups()) {
    CHECK(group.name.starts_with('@'));
    CHECK_FALSE(group.what.empty());
    for (const auto call : group.calls) {
      CAPTURE(call);
      CHECK(seen.insert(call).second);
      const bool with_some_arguments = call == "socket" || call == "clone";
      CHECK((std::ranges::find(base_calls(), call) != base_calls().end()) == with_some_arguments);
    }
  }
  CHECK(find_group("@files") != nullptr);
  CHECK(find_group("files") == nullptr);
  CHECK(allowed_by("mkdir") == "@files");
  CHECK(allowed_by("execve") == "@processes");
  CHECK(allowed_by("bpf") == "bpf");
}

TEST_CASE("each name in the tables is a call that libseccomp knows") {
  if (skipped_without_libseccomp()) return;
  for (const auto call : base_calls()) CHECK_NOTHROW(check_call_word(std::string(call)));
  for (const auto& group : call_groups())
    for (const auto call : group.calls) CHECK_NOTHROW(check_call_word(std::string(call)));
}

TEST_CASE("a word that is neither a group nor a call is refused with what was meant") {
  if (skipped_without_libseccomp()) return;
  for (const char* good : {"@files", "bpf", "mkdir"}) CHECK_NOTHROW(check_call_word(good));
  CHECK_THROWS_WITH_AS(check_call_word("files"),
                       "names files, which is no system call; did you mean '@files'?", ConfigurationError);
  CHECK_THROWS_WITH_AS(check_call_word("@netwrok"),
                       "names @netwrok, which is no group; did you mean '@network'?", ConfigurationError);
}

TEST_CASE("one filter is made for all that allow the same") {
  if (skipped_without_libseccomp()) return;
  const auto filter = make_call_filter({"@files", "bpf"}, ProgramCalls::none);
  CHECK(make_call_filter({"bpf", "@files"}, ProgramCalls::none) == filter);
  CHECK(make_call_filter({"bpf"}, ProgramCalls::none) != filter);
  CHECK(make_call_filter({"@files", "bpf"}, ProgramCalls::executes_it) != filter);
  CHECK(filter->size() < BPF_MAXINSNS);
}

namespace {

// The error number of a call in a process under the filter, where nobody answers: 0, or ENOSYS for what would
// have been asked for. -1: the kernel takes no filter.
int outcome(const std::vector<std::string>& allowed, ProgramCalls program,
            const std::function<long()>& call) {
  const auto filter = make_call_filter(allowed, program);
  const pid_t pid = ::fork();
  if (pid == 0) {
    sock_fprog instructions{.len = static_cast<unsigned short>(filter->size()),
                            .filter = const_cast<sock_filter*>(filter->data())};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &instructions) != 0) ::_exit(255);
    errno = 0;
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

long in_copy(unsigned long flags) {
  const long pid = ::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) ::_exit(0);
  return pid;
}

}  // namespace

TEST_CASE("which calls a filter lets pass, by their arguments, too") {
  if (skipped_without_libseccomp()) return;
  const auto make_directory = [] { return ::syscall(SYS_mkdirat, -1, "nowhere", 0); };
  if (outcome({}, ProgramCalls::none, make_directory) == -1) {
    MESSAGE("skipped: the kernel takes no filters of system calls");
    return;
  }
  const auto socket = [](int family, int type, int protocol = 0) {
    return [=] { return static_cast<long>(::socket(family, type, protocol)); };
  };
  struct Row {
    const char* what;
    std::vector<std::string> allowed;
    ProgramCalls program;
    std::function<long()> call;
    int error_number;
  };
  const std::vector<Row> table = {
      {"what makes a directory", {}, ProgramCalls::none, make_directory, ENOSYS},
      {"... with its group", {"@files"}, ProgramCalls::none, make_directory, EBADF},
      {"... by its name", {"mkdirat"}, ProgramCalls::none, make_directory, EBADF},
      {"UDP", {}, ProgramCalls::none, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC), 0},
      {"a unix socket", {}, ProgramCalls::none, socket(AF_UNIX, SOCK_STREAM), 0},
      {"the kernel's addresses", {}, ProgramCalls::none, socket(AF_NETLINK, SOCK_RAW, 0), 0},
      {"other netlink", {}, ProgramCalls::none, socket(AF_NETLINK, SOCK_RAW, 9), ENOSYS},
      {"TCP", {}, ProgramCalls::none, socket(AF_INET, SOCK_STREAM), ENOSYS},
      {"TCP with its group", {"@network"}, ProgramCalls::none, socket(AF_INET, SOCK_STREAM), 0},
      {"packets with that group", {"@network"}, ProgramCalls::none, socket(AF_VSOCK, SOCK_STREAM), ENOSYS},
      {"a process", {}, ProgramCalls::none, [] { return in_copy(0); }, ENOSYS},
      {"a process with its group", {"@processes"}, ProgramCalls::none, [] { return in_copy(0); }, 0},
      {"a process for a program", {}, ProgramCalls::starts_it, [] { return in_copy(0); }, 0},
      {"a process of a program that a child becomes",
       {},
       ProgramCalls::executes_it,
       [] { return in_copy(0); },
       ENOSYS},
      {"a process with a namespace",
       {"@processes"},
       ProgramCalls::none,
       [] { return in_copy(CLONE_NEWUSER); },
       ENOSYS},
      {"execve", {}, ProgramCalls::none, [] { return ::syscall(SYS_execve, "", nullptr, nullptr); }, ENOSYS},
      {"execve of a program",
       {},
       ProgramCalls::executes_it,
       [] { return ::syscall(SYS_execve, "", nullptr, nullptr); },
       ENOENT},
  };
  for (const auto& row : table) {
    CAPTURE(row.what);
    CHECK(outcome(row.allowed, row.program, row.call) == row.error_number);
  }
}
