// SPDX-License-Identifier: MIT
// What the children of a server cost, as the kernel tells it in /proc (proc(5)). Children count none of it.
#include <dirent.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "base/process.hpp"
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

}  // namespace

void read_processes(Snapshot& snapshot) {
  const auto ticks_in_a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  for (auto& service : snapshot.services)
    for (auto& slot : service.slots) {
      if (slot.state == SlotState::empty || slot.pid <= 0) continue;
      const std::string process = text("/proc/", slot.pid);
      const ProcessStat stat = stat_of(slot.pid).value_or(ProcessStat());
      // The pid may belong to another process by now.
      if (!snapshot.parent_alive || stat.parent != snapshot.parent_pid) continue;
      slot.cpu = std::chrono::milliseconds(stat.ticks * 1000 / ticks_in_a_second);
      slot.private_memory = private_kilobytes(process) * 1024;
      slot.descriptors = open_descriptors(process);
    }
}

}  // namespace brood
