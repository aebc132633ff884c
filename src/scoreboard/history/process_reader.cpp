// SPDX-License-Identifier: MIT
// What the children of a server cost, as the kernel tells it in /proc (proc(5)). Children count none of it.
#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "base/text.hpp"
#include "brood/snapshot.hpp"

namespace brood {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Kilobytes of the private pages; 0: it is not known.
std::uint64_t private_kilobytes(const std::string& process) {
  std::ifstream file(process + "/smaps_rollup");
  std::uint64_t sum = 0;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Private_")) {
      std::istringstream words(line.substr(line.find(':') + 1));
      std::uint64_t number = 0;
      if (words >> number) sum += number;
    }
  return sum;
}

std::uint32_t open_descriptors(const std::string& process) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir((process + "/fd").c_str()));
  std::uint32_t count = 0;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): each has a directory of its own
  while (const dirent* const entry = directory ? ::readdir(directory.get()) : nullptr)
    if (entry->d_name[0] != '.') ++count;
  return count;
}

// Of /proc/PID/stat, from the state on, which is field 3. The name before it may have blanks.
struct Stat {
  pid_t parent = 0;
  std::uint64_t ticks = 0;  // in user and in system mode
};
Stat read_stat(const std::string& process) {
  std::ifstream file(process + "/stat");
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  const auto name_end = all.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(all.substr(name_end + 1));
  Stat stat;
  std::string skipped;
  std::uint64_t user = 0, system = 0;
  words >> skipped >> stat.parent;
  for (int field = 5; field < 14; ++field) words >> skipped;
  if (words >> user >> system) stat.ticks = user + system;
  return stat;
}

}  // namespace

void read_processes(Snapshot& snapshot) {
  const auto ticks_in_a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  for (auto& service : snapshot.services)
    for (auto& slot : service.slots) {
      if (slot.state == SlotState::empty || slot.pid <= 0) continue;
      const std::string process = text("/proc/", slot.pid);
      const Stat stat = read_stat(process);
      // The pid may belong to another process by now.
      if (!snapshot.parent_alive || stat.parent != snapshot.parent_pid) continue;
      slot.cpu = std::chrono::milliseconds(stat.ticks * 1000 / ticks_in_a_second);
      slot.private_memory = private_kilobytes(process) * 1024;
      slot.descriptors = open_descriptors(process);
    }
}

}  // namespace brood
