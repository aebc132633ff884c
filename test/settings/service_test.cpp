// SPDX-License-Identifier: MIT
// Addresses that two services may not share, and names of services.
#include <doctest/doctest.h>

#include <string>

#include "settings/configuration.hpp"

using namespace brood;

TEST_CASE("an address of two services is found, unless any number of services may have it") {
  ServiceConfiguration one("one", {}, false), other("other", {}, false);
  const auto clash = [&](const char* a, const char* b) {
    one.listen_specs = {parse_listen("unix:/one"), parse_listen(a)};
    other.listen_specs = {parse_listen("unix:/other"), parse_listen(b)};
    const ListenSpec* place = place_in_both(one, other);
    return place == nullptr ? "" : place->written;
  };
  CHECK(clash("127.0.0.1:8", "127.0.0.1:8,name=b") == "127.0.0.1:8");
  CHECK(clash("127.0.0.1:8", "127.0.0.1:9").empty());
  CHECK(clash("127.0.0.1:0", "127.0.0.1:0").empty());
  CHECK(clash("timer:1s", "timer:1s").empty());
  CHECK(clash("unix:/other", "udp:127.0.0.1:9") == "unix:/other");
}

TEST_CASE("valid and invalid names of services") {
  for (const char* good : {"a", "imap-4_x", "0"}) CHECK(is_service_name(good));
  CHECK(is_service_name(std::string(63, 'x')));
  for (const char* bad : {"", "a b", "a.b", "a/b", "ä"}) CHECK_FALSE(is_service_name(bad));
  CHECK_FALSE(is_service_name(std::string(64, 'x')));
}
