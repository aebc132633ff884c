// SPDX-License-Identifier: MIT
// From whom a PROXY header is believed.
#include <doctest/doctest.h>

#include "base/address.hpp"
#include "base/service/proxy_settings.hpp"
#include "brood/address.hpp"
#include "brood/error.hpp"

using namespace brood;

namespace {

Address sender(const std::string& written) { return Address(resolve(parse_listen(written)).front().storage); }

}  // namespace

TEST_CASE("senders of PROXY headers: this machine is the default") {
  const ProxySenders senders(ProxySettings().from);
  CHECK(senders.contain(sender("127.0.0.1:80")));
  CHECK(senders.contain(sender("127.255.0.1:80")));
  CHECK(senders.contain(sender("[::1]:80")));
  CHECK(senders.contain(sender("[::ffff:127.0.0.1]:80")));
  CHECK(senders.contain(sender("unix:/x")));
  CHECK_FALSE(senders.contain(sender("128.0.0.1:80")));
  CHECK_FALSE(senders.contain(sender("[::2]:80")));
  CHECK_FALSE(senders.contain(Address()));
}

TEST_CASE("senders of PROXY headers: networks of any prefix") {
  const ProxySenders senders({"10.1.2.3  192.0.2.128/25", "2001:db8::/33"});
  CHECK(senders.contain(sender("10.1.2.3:80")));
  CHECK_FALSE(senders.contain(sender("10.1.2.2:80")));
  CHECK(senders.contain(sender("192.0.2.129:80")));
  CHECK_FALSE(senders.contain(sender("192.0.2.127:80")));
  CHECK(senders.contain(sender("[2001:db8:7fff::1]:80")));
  CHECK_FALSE(senders.contain(sender("[2001:db8:8000::1]:80")));
  CHECK_FALSE(senders.contain(sender("unix:/x")));
  CHECK(ProxySenders({"0.0.0.0/0"}).contain(sender("192.0.2.1:80")));
  CHECK_FALSE(ProxySenders({"0.0.0.0/0"}).contain(sender("[::1]:80")));
  CHECK_FALSE(ProxySenders({""}).contain(sender("127.0.0.1:80")));
}

TEST_CASE("senders of PROXY headers: what is no network") {
  for (const char* wrong : {"host", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129", "fe80::/x", "unix:/x"})
    CHECK_THROWS_AS(ProxySenders({wrong}), ConfigurationError);
}
