// SPDX-License-Identifier: MIT
// The command of all test servers that answers what they know of their client: peer, local address, and with
// a PROXY header who has sent it and its fields, as TYPE=VALUE.
#pragma once

#include <string>

#include "brood/proxy_header.hpp"

namespace brood::test {

std::string describe_client(const auto& connection) {
  std::string all = connection.peer() + ' ' + connection.local();
  const ProxyHeader* const header = connection.proxy_header();
  if (header == nullptr) return all;
  all += std::string(header->local ? " local" : "") + " from " + connection.sender_address().host();
  for (const ProxyField& field : header->fields) all += ' ' + std::to_string(field.type) + '=' + field.value;
  return all;
}

}  // namespace brood::test
