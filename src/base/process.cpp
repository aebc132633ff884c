// SPDX-License-Identifier: MIT
#include "base/process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "brood/descriptor.hpp"

namespace brood {
namespace {

std::string read_start(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::string content(4096, '\0');
  const ssize_t size = ::read(file.get(), content.data(), content.size());
  content.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return content;
}

// The fields behind the name; the first is field 3, the state. The name is in parentheses and may contain any
// character.
std::string stat_after_name(pid_t pid) {
  const std::string content = read_start(text("/proc/", pid, "/stat"));
  const auto name_end = content.rfind(") ");
  return name_end == std::string::npos ? std::string() : content.substr(name_end + 2);
}

// 0: there is no such process. The name comes before the other lines, with its newlines escaped.
template <typename Number>
Number number_in_status(const std::string& directory, std::string_view key) {
  const std::string status = read_start(directory + "/status");
  const auto at = status.find(key);
  Number number = 0;
  if (at != std::string::npos)
    std::from_chars(status.data() + at + key.size(), status.data() + status.size(), number);
  return number;
}

}  // namespace

std::optional<ProcessStat> stat_of(pid_t pid) {
  const std::string stat = stat_after_name(pid);
  const auto fields = split(stat, ' ');
  constexpr std::size_t parent = 4 - 3, user = 14 - 3, system = 15 - 3, start_time = 22 - 3;
  if (fields.size() <= start_time) return {};
  const auto number = [&](std::size_t field) {
    return parse_number<std::uint64_t>(fields[field]).value_or(0);
  };
  return ProcessStat{.parent = static_cast<pid_t>(number(parent)),
                     .ticks = number(user) + number(system),
                     .start_time = number(start_time)};
}

std::optional<std::uint64_t> start_time_of(pid_t pid) {
  const auto stat = stat_of(pid);
  return stat ? std::optional(stat->start_time) : std::nullopt;
}

std::optional<StartMemory> start_memory_of_this_process() {
  const std::string stat = stat_after_name(::getpid());
  const auto fields = split(stat, ' ');
  constexpr std::size_t begin = 48 - 3, end = 51 - 3;
  if (fields.size() <= end) return {};
  const auto from = parse_number<std::uintptr_t>(fields[begin]).value_or(0);
  const auto to = parse_number<std::uintptr_t>(fields[end]).value_or(0);
  if (from == 0 || to <= from) return {};
  return StartMemory{.begin = reinterpret_cast<char*>(from), .size = to - from};  // NOLINT: it is an address
}

char state_of(pid_t pid) {
  const std::string stat = stat_after_name(pid);
  return stat.empty() ? '\0' : stat.front();
}

std::optional<std::uint64_t> anonymous_memory(std::string_view pages, std::uint64_t page_size) {
  const auto words = split(pages, ' ');
  if (words.size() < 3) return {};
  const auto resident = parse_number<std::uint64_t>(words[1]);
  const auto of_files = parse_number<std::uint64_t>(words[2]);
  if (!resident || !of_files || *of_files > *resident) return {};
  return (*resident - *of_files) * page_size;
}

std::optional<std::uint64_t> anonymous_memory_of(pid_t pid) {
  return anonymous_memory(read_start(text("/proc/", pid, "/statm")),
                          static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

// /proc/TID exists for a thread, too, although no listing shows it.
pid_t process_of(pid_t thread) { return number_in_status<pid_t>(text("/proc/", thread), "\nTgid:\t"); }

unsigned count_threads() { return number_in_status<unsigned>("/proc/self", "\nThreads:\t"); }

// The function of the C library lacks the last argument.
int wait_for(pid_t pid, int options, siginfo_t& info, ProcessUsage& usage) {
  rusage used{};
  const auto result = static_cast<int>(::syscall(SYS_waitid, P_PID, pid, &info, options, &used));
  const auto time = [](const timeval& of) {
    return std::chrono::seconds(of.tv_sec) + std::chrono::microseconds(of.tv_usec);
  };
  usage.memory = static_cast<std::uint64_t>(used.ru_maxrss) << 10U;
  usage.processor = time(used.ru_utime) + time(used.ru_stime);
  return result;
}

std::string how_it_ended(int code, int status) {
  if (code == CLD_EXITED) return text("exited with code ", status);
  return text("was killed by signal ", status, " (", ::strsignal(status), ")",
              code == CLD_DUMPED ? ", core dumped" : "");
}

}  // namespace brood
