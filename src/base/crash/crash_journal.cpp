// SPDX-License-Identifier: MIT
#include "base/crash/crash_journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/descriptor_io.hpp"
#include "base/text.hpp"
#include "base/wire_record.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

constexpr off_t full_size = 128 << 10;
constexpr std::string_view kind = "crash";

std::string old_journal(const std::string& path) { return path + ".old"; }

Descriptor open_for_appending(const std::string& path) {
  Descriptor journal(
      ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!journal) throw SystemError("open " + path, errno);
  return journal;
}

bool is_full(const Descriptor& journal) {
  struct stat status {};
  if (::fstat(journal.get(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode)) throw Error("the journal of crashes is no file");
  return status.st_size >= full_size;
}

// Another process may have done it at the same moment.
bool is_at(const std::string& path, const Descriptor& journal) {
  struct stat named {
  }, open{};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(journal.get(), &open) == 0 &&
         named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

WireRecord to_record(const Crash& crash) {
  WireRecord record{std::string(kind)};
  record.set("time", crash.time).set("service", crash.service).set("pid", crash.pid);
  record.set("signal", crash.signal).set("peer", crash.peer).set("note", crash.note);
  record.set("busy-for", crash.busy_for.count()).set("open-connections", crash.open_connections);
  record.set("finished", crash.finished).set("memory", crash.memory);
  record.set("processor", crash.processor.count()).set("exception", crash.exception);
  record.set("code", crash.evidence.code).set("address", crash.evidence.address);
  record.set("thread", crash.evidence.thread).set("top", crash.top).set("frames", join(crash.frames));
  return record;
}

Crash from_record(const WireRecord& record) {
  Crash crash{.time = record.number<std::int64_t>("time"),
              .service = record["service"],
              .pid = record.number<pid_t>("pid"),
              .signal = record.number<int>("signal"),
              .peer = record["peer"],
              .note = record["note"],
              .busy_for = std::chrono::nanoseconds(record.number<std::int64_t>("busy-for")),
              .open_connections = record.number<std::uint32_t>("open-connections"),
              .finished = record.number<std::uint64_t>("finished"),
              .memory = record.number<std::uint64_t>("memory"),
              .processor = std::chrono::microseconds(record.number<std::int64_t>("processor"))};
  crash.exception = record["exception"];
  crash.evidence.signal = crash.signal;
  crash.evidence.code = record.number<int>("code");
  crash.evidence.address = record.number<std::uint64_t>("address");
  crash.evidence.thread = record.number<pid_t>("thread");
  crash.top = record["top"];
  if (const std::string& frames = record["frames"]; !frames.empty())
    for (const auto frame : split(frames, '\n')) crash.frames.emplace_back(frame);
  return crash;
}

void read_into(std::vector<Crash>& to, const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return;
  if (!file) throw SystemError("open " + path, errno);
  const std::string content = read_all(file, "read the journal of crashes");
  for (const auto line : split(content, '\n')) {
    try {
      if (!line.empty()) to.push_back(from_record(WireRecord::parse(line)));
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a line that was cut, on a disk that was full
    }
  }
}

}  // namespace

std::string crash_journal_of(const std::string& scoreboard) {
  constexpr std::string_view extension = ".scoreboard";
  if (scoreboard.empty()) return "";
  std::string_view name = scoreboard;
  if (name.ends_with(extension)) name.remove_suffix(extension.size());
  return text(name, ".crashes");
}

Descriptor open_crash_journal(const std::string& path, std::optional<gid_t> readers) {
  Descriptor journal = open_for_appending(path);
  if (is_full(journal)) {
    ::flock(journal.get(), LOCK_EX);  // of the others that do this, none waits while it has it
    if (is_at(path, journal) && std::rename(path.c_str(), old_journal(path).c_str()) != 0)
      throw SystemError("rename " + path, errno);
    journal = open_for_appending(path);
  }
  if (readers &&
      (::fchown(journal.get(), static_cast<uid_t>(-1), *readers) != 0 || ::fchmod(journal.get(), 0640) != 0))
    throw SystemError("share " + path, errno);
  return journal;
}

void append_to_journal(const Descriptor& journal, const Crash& crash) {
  // A line that was cut before, because the disk was full, does not spoil this one.
  write_all(journal, text('\n', to_record(crash).line(), '\n'), "write to the journal of crashes");
}

std::vector<Crash> read_crash_journal(const std::string& path) {
  std::vector<Crash> all;
  read_into(all, old_journal(path));
  read_into(all, path);
  return all;
}

}  // namespace brood
