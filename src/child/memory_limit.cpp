// SPDX-License-Identifier: MIT
#include "child/memory_limit.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "base/process.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"

namespace brood {
namespace {

using namespace std::chrono_literals;

// To read statm takes a microsecond. To read smaps_rollup takes a millisecond for each 100 MB, so a hundred
// times as long passes until the next look.
constexpr auto memory_look_interval = 10ms;
constexpr int share_of_looking = 100;

using FileStart = std::array<char, 4096>;

std::string_view read_start(const Descriptor& file, FileStart& buffer) {
  const ssize_t size = ::pread(file.get(), buffer.data(), buffer.size(), 0);
  return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

Clock::duration time_on_processor() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Descriptor open_of_this_process(const char* path) {
  Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) log_warning(text("max-memory-per-child has no effect: ", SystemError(path, errno).what()));
  return file;
}

}  // namespace

std::optional<std::uint64_t> private_memory(std::string_view totals) {
  constexpr std::string_view name = "Private_Dirty:", unit = " kB";
  for (std::string_view line : split(totals, '\n')) {
    if (!line.starts_with(name) || !line.ends_with(unit)) continue;
    line.remove_prefix(name.size());
    line.remove_suffix(unit.size());
    const auto kilobytes = parse_number<std::uint64_t>(trim(line));
    return kilobytes ? std::optional(*kilobytes * 1024) : std::nullopt;
  }
  return {};
}

MemoryLimit::MemoryLimit(std::uint64_t bytes) : limit_(bytes) {
  if (limit_ == 0) return;
  sizes_ = open_of_this_process("/proc/self/statm");
  if (sizes_) totals_ = open_of_this_process("/proc/self/smaps_rollup");
}

[[gnu::hot]] bool MemoryLimit::look() {
  if (exceeded_ || !totals_) return exceeded_;
  const Time now = Clock::now();
  if (now < next_look_) return false;
  next_look_ = now + memory_look_interval;
  FileStart buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by pread
  static const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  // Memory that is shared with the parent is among it.
  if (anonymous_memory(read_start(sizes_, buffer), page_size).value_or(0) <= limit_) return false;
  const Clock::duration began = time_on_processor();
  const auto found = private_memory(read_start(totals_, buffer));
  next_look_ = std::max(next_look_, now + (time_on_processor() - began) * share_of_looking);
  if (!found || *found <= limit_) return false;
  log_info(text("child ", ::getpid(), " has ", *found / 1024,
                " KiB of private memory, more than max-memory-per-child: it asks for a replacement"));
  return exceeded_ = true;
}

}  // namespace brood
