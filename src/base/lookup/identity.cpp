// SPDX-License-Identifier: MIT
#include "base/lookup/identity.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/lookup/lookups.hpp"
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

Identity identity_of(const std::string& user, const std::string& group) {
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
      identity.home = account->pw_dir;
      identity.shell = account->pw_shell;
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

std::string key_of(const std::string& user, const std::string& group) { return user + ':' + group; }

std::string written(const Identity& identity) {
  WireRecord record("identity");
  record.set("name", identity.name).set("user", identity.user).set("group", identity.group);
  record.set("home", identity.home).set("shell", identity.shell);
  for (const gid_t group : identity.groups) record.set("member", group);
  return record.line();
}

Identity read_identity(std::string_view line) {
  const WireRecord record = WireRecord::parse(line);
  Identity identity{.name = record["name"],
                    .user = record.number<uid_t>("user"),
                    .group = record.number<gid_t>("group"),
                    .groups = {},
                    .home = record["home"],
                    .shell = record["shell"]};
  for (const auto& [name, value] : record.fields())
    if (name == "member") identity.groups.push_back(parse_number<gid_t>(value).value_or(no_group));
  return identity;
}

}  // namespace

Identity find_identity(const std::string& user, const std::string& group) {
  if (user.empty() && group.empty()) return {};
  return read_identity(
      look_up("account", key_of(user, group), [&] { return written(identity_of(user, group)); }));
}

void add_identity(Lookups& to, const std::string& user, const std::string& group, const Identity& identity) {
  to.add("account", key_of(user, group), written(identity));
}

void set_variables_of(const Identity& identity) {
  if (identity.home.empty()) return;
  for (const auto& [name, value] : {std::pair{"HOME", identity.home}, std::pair{"USER", identity.name},
                                    std::pair{"LOGNAME", identity.name}, std::pair{"SHELL", identity.shell}})
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
}

bool stays_root(const Identity& identity) {
  return (identity.user == no_user ? ::geteuid() : identity.user) == 0;
}

// As kill(2) decides.
bool may_signal(const Identity& identity) {
  if (identity.user == no_user || identity.user == ::geteuid() || identity.user == ::getuid()) return true;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &header, sets.data()) != 0) throw SystemError("ask for the capabilities", errno);
  return (sets[CAP_TO_INDEX(CAP_KILL)].effective & CAP_TO_MASK(CAP_KILL)) != 0;
}

}  // namespace brood
