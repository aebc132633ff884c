// SPDX-License-Identifier: MIT
#include "base/wire_record.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/handover.hpp"
#include "brood/error.hpp"

namespace brood {

TEST_CASE("record: fields are the same after the record was written as a line and parsed") {
  const std::string nasty("a b=c%41\n\0\xff", 11);
  const WireRecord sent = WireRecord("child").set("slot", 3).set("note", nasty).set("empty", "");
  CHECK(sent.line().find('\n') == std::string::npos);
  const WireRecord got = WireRecord::parse(sent.line());
  CHECK(got.kind() == "child");
  CHECK(got.number<int>("slot") == 3);
  CHECK(got["note"] == nasty);
  CHECK(got["empty"].empty());
  CHECK(got.find("other") == nullptr);
}

TEST_CASE("record: a missing field, a wrong number and a line that is not a record are refused") {
  const WireRecord record = WireRecord("a").set("x", "70000").set("y", "1x");
  CHECK_THROWS_AS(static_cast<void>(record["z"]), Error);
  CHECK_THROWS_AS(record.number<std::uint16_t>("x"), Error);
  CHECK_THROWS_AS(record.number<int>("y"), Error);
  for (const char* line : {"", " a=b", "a b", "a b=%4", "a b=%", "a b=%zz", "a  b=c"}) {
    CAPTURE(line);
    CHECK_THROWS_AS(WireRecord::parse(line), Error);
  }
}

TEST_CASE("handover: the process that it is meant for takes it, once") {
  const Descriptor left = write_handover({WireRecord("one").set("a", 1), WireRecord("two")});
  const int copy = ::dup(left.get());
  ::setenv("BROOD_TEST", handover_address(Descriptor(::dup(left.get())), ::getpid() + 1).c_str(), 1);
  CHECK_FALSE(read_handover("BROOD_TEST"));
  CHECK(std::getenv("BROOD_TEST") == nullptr);
  ::setenv("BROOD_TEST", (std::to_string(copy) + ':' + std::to_string(::getpid())).c_str(), 1);
  const auto taken = read_handover("BROOD_TEST");
  REQUIRE(taken);
  REQUIRE(taken->size() == 2);
  CHECK(taken->front().number<int>("a") == 1);
  CHECK_FALSE(read_handover("BROOD_TEST"));
  ::setenv("BROOD_TEST", "nonsense", 1);
  CHECK_THROWS_AS(read_handover("BROOD_TEST"), Error);
}

}  // namespace brood
