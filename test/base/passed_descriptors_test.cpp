// SPDX-License-Identifier: MIT
#include "base/lookup/passed_descriptors.hpp"

#include <doctest/doctest.h>

#include "brood/error.hpp"

using namespace brood;

namespace {

using Names = std::vector<std::string>;

std::vector<std::string> written(const std::string& listen, const Names& names) {
  std::vector<std::string> all;
  for (const auto& spec : numbered(parse_listen(listen), {names})) all.push_back(spec.written);
  return all;
}

}  // namespace

TEST_CASE("the names of passed descriptors are those of LISTEN_FDNAMES") {
  CHECK(PassedDescriptors::parse("2", "a:b").names == Names{"a", "b"});
  CHECK(PassedDescriptors::parse("3", "a:b").names == Names{"a", "b", "unknown"});
  CHECK(PassedDescriptors::parse("1", "a:b").names == Names{"a"});
  CHECK(PassedDescriptors::parse("2", "").names == Names{"unknown", "unknown"});
  for (const char* wrong : {"", "x", "-1", "0", "99999999"})
    CHECK(PassedDescriptors::parse(wrong, "a").names.empty());
}

TEST_CASE("fd:NAME is each descriptor of that name") {
  CHECK(written("fd:web", {"web", "admin", "web"}) == Names{"fd:3,name=web", "fd:5,name=web"});
  CHECK(written("fd:web,name=w,nagle", {"admin", "web"}) == Names{"fd:4,name=w,nagle"});
  CHECK(written("fd:x@y.socket", {"x@y.socket"}) == Names{"fd:3,name=x@y.socket"});
  CHECK(written("fd:7", {"web"}) == Names{"fd:7"});
  CHECK(written("127.0.0.1:80", {"web"}) == Names{"127.0.0.1:80"});
  CHECK(written("fd:web", {}) == Names{"fd:web"});  // who opens it will say so
  CHECK_THROWS_AS(written("fd:web", {"admin"}), ConfigurationError);
  CHECK(numbered(parse_listen("fd:web"), {{"web"}}).front().descriptor == 3);
}
