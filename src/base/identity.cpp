// SPDX-License-Identifier: MIT
#include "base/identity.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

std::vector<gid_t> groups_of(const std::string& account, gid_t group) {
  int number = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(number));
  while (::getgrouplist(account.c_str(), group, groups.data(), &number) < 0)
    groups.resize(std::max(groups.size() * 2, static_cast<std::size_t>(number)));
  groups.resize(static_cast<std::size_t>(number));
  return groups;
}

// To the kernel, (id_t)-1 means "leave it unchanged".
std::optional<id_t> id_in(const std::string& word) {
  const auto id = parse_number<id_t>(word);
  if (id == no_user) throw ConfigurationError(word + " is not a valid user or group");
  return id;
}

}  // namespace

Identity find_identity(const std::string& user, const std::string& group) {
  Identity identity{.name = user};
  bool has_account = false;
  if (!user.empty()) {
    const auto id = id_in(user);
    const passwd* account = id ? ::getpwuid(*id) : ::getpwnam(user.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (account == nullptr && !id) throw ConfigurationError("user " + user + " does not exist");
    identity.user = account != nullptr ? account->pw_uid : *id;
    has_account = account != nullptr;
    if (has_account) {
      identity.group = account->pw_gid;
      identity.name = account->pw_name;
    }
  }
  if (!group.empty()) {
    const auto id = id_in(group);
    const ::group* entry = id ? nullptr : ::getgrnam(group.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr && !id) throw ConfigurationError("group " + group + " does not exist");
    identity.group = entry != nullptr ? entry->gr_gid : *id;
  }
  if (has_account) identity.groups = groups_of(identity.name, identity.group);
  return identity;
}

void become(const Identity& identity) {
  if (identity.group != no_group) {
    if (::setgroups(identity.groups.size(), identity.groups.data()) != 0)
      throw SystemError("set the groups of user " + identity.name, errno);
    if (::setgid(identity.group) != 0) throw SystemError("become the group of user " + identity.name, errno);
  }
  if (identity.user != no_user && ::setuid(identity.user) != 0)
    throw SystemError("become user " + identity.name, errno);
}

}  // namespace brood
