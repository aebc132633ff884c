// SPDX-License-Identifier: MIT
// AsyncServer where it was built for io_uring. What it does there is async_test.cpp's; here, what becomes of
// it where the kernel forbids io_uring, as in many containers.
#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "process_table.hpp"
#include "server_process.hpp"

using namespace brood;
using namespace brood::test;

namespace {

void forbid_io_uring() {
  std::array<sock_filter, 4> filter = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program = {.len = filter.size(), .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    ::_exit(126);
}

}  // namespace

TEST_CASE("a child waits in io_uring, and in no epoll but that of the listeners") {
  ServerProcess server({"--start-servers=1", "--min-spare-servers=1"},
                       {.program = "brood-async-test-server"});
  Client client = server.connect();
  const pid_t child = client.child();
  unsigned rings = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/fd"))
    if (std::filesystem::read_symlink(entry.path()) == "anon_inode:[io_uring]") ++rings;
  CHECK(rings == 1);
}

TEST_CASE("where io_uring is forbidden the service says so and stops") {
  ServerProcess server(
      {}, {.program = "brood-async-test-server", .wait_ready = false, .in_process = forbid_io_uring});
  CHECK(server.wait_exit() == exited(78));
  CHECK(server.count_in_log("io_uring can't be used here: ") >= 1);
  CHECK(server.count_in_log("Operation not permitted") >= 1);
}
