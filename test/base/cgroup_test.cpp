// SPDX-License-Identifier: MIT
#include "base/lookup/cgroup.hpp"

#include <doctest/doctest.h>

using namespace brood;

TEST_CASE("the cgroup of a process is that of version 2") {
  const struct {
    const char* memberships;
    std::optional<std::string> path;
  } rows[] = {
      {"0::/\n", "/"},
      {"0::/system.slice/brood.service\n", "/system.slice/brood.service"},
      {"4:memory:/a\n1:name=systemd:/b\n0::/c/d e\n", "/c/d e"},
      {"0::/../../kubepods\n", "/../../kubepods"},
      {"4:memory:/a\n", {}},
      {"", {}},
      {"0::", {}},
  };
  for (const auto& row : rows) CHECK(cgroup_path(row.memberships) == row.path);
}

TEST_CASE("the limits of a cgroup") {
  CHECK(parse_cpu_max("150000 100000\n") == 1.5);
  CHECK(parse_cpu_max("25000 100000") == 0.25);
  for (const char* none :
       {"max 100000\n", "", "\n", "100000", "0 100000", "1 0", "-1 100000", "1 2 3", "x y"})
    CHECK_FALSE(parse_cpu_max(none));
  CHECK(parse_memory_max("536870912\n") == 536870912);
  CHECK(parse_memory_max("0\n") == 0);
  for (const char* none : {"max\n", "", "-1", "1G"}) CHECK_FALSE(parse_memory_max(none));
}

TEST_CASE("a process uses no more CPUs than it may run on, and than its cgroup has, and one at least") {
  const struct {
    unsigned may_run_on;
    std::optional<double> cpu_max;
    unsigned used;
  } rows[] = {{8, {}, 8}, {8, 2.0, 2}, {8, 1.5, 2}, {8, 0.25, 1}, {2, 4.0, 2}, {0, {}, 1}, {8, 8.5, 8}};
  for (const auto& row : rows) CHECK(usable_cpus(row.may_run_on, row.cpu_max) == row.used);
  CHECK(usable_cpus() >= 1);
}
