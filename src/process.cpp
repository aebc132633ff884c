// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string>

#include "brood/descriptor.hpp"
#include "text.hpp"

namespace brood {
namespace {

// The fields after the name, which is in parentheses and may hold anything: the first one is field 3, the
// state.
std::string stat_after_name(pid_t pid) {
  const Descriptor file(::open(text("/proc/", pid, "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::string content(1024, '\0');
  const ssize_t size = ::read(file.get(), content.data(), content.size());
  content.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto name_end = content.rfind(") ");
  return name_end == std::string::npos ? std::string() : content.substr(name_end + 2);
}

}  // namespace

std::optional<std::uint64_t> birth_of(pid_t pid) {
  const std::string stat = stat_after_name(pid);
  const auto fields = split(stat, ' ');
  constexpr std::size_t start_time = 22 - 3;
  if (fields.size() <= start_time) return {};
  std::uint64_t birth = 0;
  const auto field = fields[start_time];
  if (std::from_chars(field.data(), field.data() + field.size(), birth).ec != std::errc{}) return {};
  return birth;
}

char state_of(pid_t pid) {
  const std::string stat = stat_after_name(pid);
  return stat.empty() ? '\0' : stat.front();
}

}  // namespace brood
