// SPDX-License-Identifier: MIT
#include "base/service/access_rules.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "base/service/admission_settings.hpp"
#include "brood/error.hpp"

using namespace brood;

namespace {

AddressBytes address(const std::string& text) {
  sockaddr_storage storage{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1)
    storage.ss_family = AF_INET;
  else if (::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr) == 1)
    storage.ss_family = AF_INET6;
  return bytes_of(Address(storage)).value();
}

AccessRules rules(const std::vector<std::string>& written) {
  std::vector<AccessRule> all;
  for (const auto& one : written) all.push_back(parse_access_rule(one));
  return AccessRules(all);
}

std::string mistake(const std::string& written) {
  try {
    parse_access_rule(written);
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "";
}

AccessRules::Verdict find_naively(const std::vector<AccessRule>& all, const AddressBytes& client) {
  bool only_deny = true;
  for (const auto& rule : all) only_deny = only_deny && !rule.allows;
  for (std::uint32_t i = 0; i < all.size(); ++i)
    if (all[i].network.contains(client)) return {.admits = all[i].allows, .rule = i};
  return {.admits = only_deny};
}

}  // namespace

TEST_CASE("the first rule that matches decides") {
  const AccessRules all = rules({"deny 10.1.2.3", "10.1.0.0/16", "deny 10.0.0.0/8", "all"});
  CHECK(all.find(address("10.1.2.3")).rule == 0);
  CHECK_FALSE(all.find(address("10.1.2.3")).admits);
  CHECK(all.find(address("10.1.2.4")).admits);
  CHECK(all.find(address("10.1.255.255")).admits);
  CHECK_FALSE(all.find(address("10.2.0.0")).admits);
  CHECK(all.find(address("11.0.0.0")).rule == 3);
  CHECK(all.find(address("9.255.255.255")).rule == 3);
  CHECK(all.find(address("2001:db8::1")).rule == 3);
  CHECK(all.find(no_user).rule == 3);

  const AccessRules wide_first = rules({"10.0.0.0/8", "deny 10.1.0.0/16"});
  CHECK(wide_first.find(address("10.1.0.1")).admits);
}

TEST_CASE("what no rule matches comes in only if there is no allow") {
  CHECK(rules({}).empty());
  CHECK(rules({}).find(address("192.0.2.1")).admits);
  const AccessRules denies = rules({"deny 192.0.2.0/24"});
  CHECK(denies.find(address("192.0.3.1")).admits);
  CHECK(denies.find(no_user).admits);
  const AccessRules allows = rules({"deny 192.0.2.7", "192.0.2.0/24"});
  CHECK(allows.find(address("192.0.2.8")).admits);
  CHECK_FALSE(allows.find(address("192.0.3.1")).admits);
  CHECK_FALSE(allows.find(address("::1")).admits);
  CHECK_FALSE(allows.find(no_user).admits);
}

TEST_CASE("a mapped IPv6 address counts as IPv4") {
  const AccessRules all = rules({"deny ::/0", "0.0.0.0/0"});
  CHECK(all.find(address("::ffff:192.0.2.7")).admits);
  CHECK(all.find(address("192.0.2.7")).admits);
  CHECK_FALSE(all.find(address("::1")).admits);
  CHECK(rules({"::ffff:10.0.0.0/104"}).find(address("10.200.0.1")).admits);
  CHECK(parse_access_rule("::ffff:10.0.0.0/104").written() == "10.0.0.0/8");
}

TEST_CASE("the ends of the address space belong to a network") {
  const AccessRules all = rules({"255.255.255.255", "0.0.0.0", "ffff:ffff:ffff:ffff::/64", "::"});
  CHECK(all.find(address("255.255.255.255")).admits);
  CHECK_FALSE(all.find(address("255.255.255.254")).admits);
  CHECK(all.find(address("0.0.0.0")).admits);
  CHECK_FALSE(all.find(address("0.0.0.1")).admits);
  CHECK(all.find(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")).admits);
  CHECK(all.find(address("::")).admits);
  CHECK_FALSE(all.find(address("::1")).admits);
}

TEST_CASE("clients of a unix socket are matched by their users") {
  const AccessRules all = rules({"deny uid:7", "uid:5", "uid:7", "deny unix", "uid:9"});
  CHECK(all.has_users());
  CHECK(all.find(5).admits);
  CHECK_FALSE(all.find(7).admits);
  CHECK(all.find(7).rule == 0);
  CHECK_FALSE(all.find(9).admits);
  CHECK_FALSE(all.find(no_user).admits);
  CHECK_FALSE(all.find(address("10.0.0.1")).admits);
  CHECK_FALSE(rules({"unix"}).has_users());
  CHECK(rules({"unix"}).find(1).admits);
}

TEST_CASE("a rule is written as it is read") {
  for (const char* written : {"all", "deny all", "unix", "10.0.0.0/8", "deny 192.0.2.7", "0.0.0.0/0", "::/0",
                              "2001:db8::/32", "deny fe80::1", "uid:1000", "deny user:www-data"})
    CHECK(parse_access_rule(written).written() == written);
  CHECK(parse_access_rule("10.1.2.3/32").written() == "10.1.2.3");
}

TEST_CASE("mistakes in a rule are named") {
  CHECK(mistake("10.1.2.3/8") == "has bits beyond its prefix; did you mean 10.0.0.0/8 or 10.1.2.3?");
  CHECK(mistake("2001:db8::1/32") ==
        "has bits beyond its prefix; did you mean 2001:db8::/32 or 2001:db8::1?");
  CHECK(mistake("10.0.0.0/33") == "has a prefix that is not a number from 0 to 32");
  CHECK(mistake("::/129") == "has a prefix that is not a number from 0 to 128");
  CHECK(mistake("10.0.0.0/") == "has a prefix that is not a number from 0 to 32");
  CHECK(mistake("10.0.0") ==
        "is not a network like 192.0.2.0/24 or 2001:db8::/32, an address, all, unix, user:NAME or uid:N");
  CHECK(mistake("user:") == "names no user");
  CHECK(mistake("uid:x") == "is not the number of a user");
  CHECK_FALSE(mistake("").empty());
}

TEST_CASE("the table of rules finds what a search through all rules finds") {
  std::mt19937 random(7);  // NOLINT: the same each time
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  for (int round = 0; round < 300; ++round) {
    std::vector<AccessRule> all;
    std::vector<AddressBytes> places;
    const unsigned count = 1 + below(24);
    for (unsigned i = 0; i < count; ++i) {
      const bool ipv4 = below(3) > 0;
      AccessRule rule{.allows = below(2) == 0, .kind = AccessRule::Kind::network};
      rule.network.first[0] = ipv4 ? 4 : 6;
      rule.network.prefix = 8 + below(ipv4 ? 33 : 129);
      if (below(12) == 0) rule = {.allows = rule.allows, .kind = AccessRule::Kind::all};
      // Few bits differ, so that networks are in one another.
      for (unsigned bit = 8; bit < rule.network.prefix; ++bit)
        if (below(bit % 4 == 0 ? 3 : 40) == 0)
          rule.network.first.at(bit / 8) |= static_cast<std::uint8_t>(0x80U >> bit % 8);
      all.push_back(rule);
      places.push_back(rule.network.first);
    }
    const AccessRules compiled(all);
    for (int i = 0; i < 400; ++i) {
      AddressBytes client = places[below(count)];
      if (client[0] == 0) client[0] = below(2) == 0 ? 4 : 6;
      const unsigned size = client[0] == 4 ? 5 : 17;
      switch (below(4)) {
        case 0:
          break;
        case 1:
          for (unsigned byte = 1 + below(size - 1); byte < size; ++byte) client.at(byte) = 0xff;
          break;
        case 2:
          client.at(1 + below(size - 1)) ^= static_cast<std::uint8_t>(1U << below(8));
          break;
        default:  // the one before
          for (unsigned byte = size; byte-- > 1;)
            if (client.at(byte)-- != 0) break;
          break;
      }
      const auto found = compiled.find(client), expected = find_naively(all, client);
      REQUIRE(found.rule == expected.rule);
      REQUIRE(found.admits == expected.admits);
    }
  }
}

TEST_CASE("a rate of clients and a refusal are read") {
  CHECK(parse_client_rate("10/s") == ClientRate{10, std::chrono::seconds(1)});
  CHECK(parse_client_rate("100/min") == ClientRate{100, std::chrono::minutes(1)});
  CHECK(write_client_rate(parse_client_rate("100 / min")) == "100/min");
  CHECK(write_client_rate(parse_client_rate("0")) == "0");
  for (const char* wrong : {"", "10", "10/", "0/s", "-1/s", "10/d", "x/s", "10/s/s"})
    CHECK_THROWS_AS(parse_client_rate(wrong), ConfigurationError);
  CHECK(parse_refusal("421 busy\\r\\n") == "421 busy\r\n");
  CHECK(parse_refusal("a\\\\n") == "a\\n");
  CHECK_THROWS_AS(parse_refusal("a\\x"), ConfigurationError);
  CHECK_THROWS_AS(parse_refusal("a\\"), ConfigurationError);
  CHECK_THROWS_AS(parse_refusal(std::string(513, 'a')), ConfigurationError);
}
