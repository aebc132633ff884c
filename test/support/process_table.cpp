// SPDX-License-Identifier: MIT
#include "process_table.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "eventually.hpp"

namespace brood::test {
namespace {

struct Stat {
  char state = '\0';
  pid_t parent = 0;
};

// Field 2 is the name, in parentheses, and may hold anything.
Stat read_stat(pid_t pid) {
  const std::string content = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = content.rfind(") ");
  if (name_end == std::string::npos) return {};
  std::istringstream fields(content.substr(name_end + 2));
  Stat stat;
  fields >> stat.state >> stat.parent;
  return stat;
}

}  // namespace

char process_state(pid_t pid) { return read_stat(pid).state; }

bool is_alive(pid_t pid) {
  const char state = process_state(pid);
  return state != '\0' && state != 'Z' && state != 'X';
}

pid_t parent_of(pid_t pid) { return read_stat(pid).parent; }

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    const Stat stat = read_stat(pid);
    if (stat.parent == parent && stat.state != 'Z' && stat.state != 'X') children.push_back(pid);
  }
  std::sort(children.begin(), children.end());
  return children;
}

bool rests(pid_t pid, std::chrono::milliseconds time) {
  return eventually([&] {
    const std::string wakes = status_of(pid, "voluntary_ctxt_switches");
    return process_state(pid) == 'S' &&
           stays([&] { return status_of(pid, "voluntary_ctxt_switches") == wakes; }, time);
  });
}

std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  // Whole or not at all, for readers that come at any time.
  const std::string fresh = path + ".fresh";
  std::ofstream(fresh) << content;
  std::filesystem::rename(fresh, path);
}

namespace {

std::string value_in(const std::string& status, const std::string& key) {
  std::istringstream lines(status);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":")) {
      const auto value = line.find_first_not_of(" \t", key.size() + 1);
      return value == std::string::npos ? "" : line.substr(value);
    }
  return "";
}

}  // namespace

std::string status_of(pid_t pid, const std::string& key) {
  return value_in(read_file("/proc/" + std::to_string(pid) + "/status"), key);
}

bool is_empty_set(const std::string& status, const std::string& key) {
  constexpr std::uint64_t of_the_library = 0b11ULL << 31U;
  const std::string set = value_in(status, key);
  return !set.empty() && (std::stoull(set, nullptr, 16) & ~of_the_library) == 0;
}

}  // namespace brood::test
