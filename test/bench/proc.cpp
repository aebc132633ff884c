// SPDX-License-Identifier: MIT
#include "proc.hpp"

#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "brood/descriptor.hpp"
#include "program.hpp"

namespace brood::bench {
namespace {

std::string of(pid_t pid, const std::string& file) { return "/proc/" + std::to_string(pid) + "/" + file; }

// The sum of the numbers behind "NAME:" at the start of a line, over all names.
std::uint64_t sum_of(const std::string& content, const std::vector<std::string>& names) {
  std::uint64_t sum = 0;
  std::istringstream lines(content);
  for (std::string line; std::getline(lines, line);)
    for (const auto& name : names)
      if (line.starts_with(name + ":")) sum += std::stoull(line.substr(name.size() + 1));
  return sum;
}

std::vector<std::string> task_directories(pid_t pid) {
  std::vector<std::string> tasks;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(of(pid, "task"), gone))
    tasks.push_back(entry.path());
  return tasks;
}

void set_cpus(const std::vector<unsigned>& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus) CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_setaffinity");
}

}  // namespace

std::uint64_t context_switches(pid_t pid) {
  std::uint64_t sum = 0;
  for (const auto& task : task_directories(pid))
    sum += sum_of(read_file(task + "/status"), {"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"});
  return sum;
}

std::chrono::nanoseconds cpu_time(pid_t pid) {
  std::chrono::nanoseconds sum{0};
  for (const auto& task : task_directories(pid)) {
    std::int64_t on_cpu = 0;
    std::istringstream(read_file(task + "/schedstat")) >> on_cpu;
    sum += std::chrono::nanoseconds(on_cpu);
  }
  return sum;
}

std::optional<std::uint64_t> private_memory(pid_t pid) {
  const std::string content = read_file(of(pid, "smaps_rollup"));
  if (content.empty()) return {};
  return sum_of(content, {"Private_Clean", "Private_Dirty"});
}

std::optional<std::uint64_t> proportional_memory(pid_t pid) {
  const std::string content = read_file(of(pid, "smaps_rollup"));
  if (content.empty()) return {};
  return sum_of(content, {"Pss"});
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  for (const auto& task : task_directories(pid)) {
    std::istringstream pids(read_file(task + "/children"));
    for (pid_t child = 0; pids >> child;) children.push_back(child);
  }
  return children;
}

char state_of(pid_t pid) {
  const std::string stat = read_file(of(pid, "stat"));
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? '\0' : stat[name_end + 2];
}

Pinned::Pinned(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  for (unsigned i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) before_.push_back(i);
  set_cpus({cpu});
}

Pinned::~Pinned() {
  try {
    set_cpus(before_);
  } catch (const std::system_error&) {
    // The CPUs were taken away in the meantime: it stays where it is.
  }
}

std::string free_address() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

}  // namespace brood::bench
