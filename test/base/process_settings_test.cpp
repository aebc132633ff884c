// SPDX-License-Identifier: MIT
#include "base/service/process_settings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "brood/error.hpp"

using namespace brood;

TEST_CASE("lists of CPUs are read, and what is none is refused") {
  CHECK(parse_cpus("").empty());
  CHECK(parse_cpus("3") == std::vector<unsigned>{3});
  CHECK(parse_cpus("7,0-2, 1") == std::vector<unsigned>{0, 1, 2, 7});
  for (const std::string wrong : {"x", "1-", "-1", "3-1", "1,,2", "1024", "0-1024", "1 2"})
    CHECK_THROWS_AS(parse_cpus(wrong), ConfigurationError);
}

TEST_CASE("a umask is octal") {
  for (const std::string right : {"", "0", "022", "0777"}) CHECK_NOTHROW(check_umask(right));
  for (const std::string wrong : {"8", "1000", "-1", "rwx"})
    CHECK_THROWS_AS(check_umask(wrong), ConfigurationError);
}

TEST_CASE("a variable has a name") {
  for (const std::string right : {"A=b", "A=", "A=b=c"}) CHECK_NOTHROW(check_variable(right));
  for (const std::string wrong : {"", "A", "=b"}) CHECK_THROWS_AS(check_variable(wrong), ConfigurationError);
}
