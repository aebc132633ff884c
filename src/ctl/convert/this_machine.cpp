// SPDX-License-Identifier: MIT
#include "ctl/convert/this_machine.hpp"

#include <arpa/inet.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.hpp"

namespace brood::ctl {

std::optional<unsigned> ThisMachine::port(const std::string& service, const std::string& protocol) const {
  const servent* const found = ::getservbyname(service.c_str(), protocol.c_str());
  if (found == nullptr) return {};
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

bool ThisMachine::has_user(const std::string& name) const {
  // A number without an account has no group.
  if (const auto number = parse_number<uid_t>(name)) return ::getpwuid(*number) != nullptr;
  return ::getpwnam(name.c_str()) != nullptr;
}

bool ThisMachine::has_group(const std::string& name) const {
  return parse_number<unsigned>(name) || ::getgrnam(name.c_str()) != nullptr;
}

bool ThisMachine::can_execute(const std::string& path) const {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

bool ThisMachine::has_directory(const std::string& path) const {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace brood::ctl
