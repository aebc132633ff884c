// SPDX-License-Identifier: MIT
// broodctl crashes: how the lines of a journal are grouped. And the journal itself.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/crash/crash_journal.hpp"
#include "ctl/crash/crashes.hpp"

using namespace brood;
using namespace brood::ctl;

namespace {

Crash crash(std::int64_t time, int signal, const std::string& note, const std::string& top) {
  Crash crash{.time = time, .service = "web", .pid = static_cast<pid_t>(time), .signal = signal};
  crash.note = note;
  crash.top = top;
  return crash;
}

class JournalDirectory {
 public:
  JournalDirectory() {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~JournalDirectory() { std::filesystem::remove_all(path_); }
  JournalDirectory(const JournalDirectory&) = delete;
  JournalDirectory& operator=(const JournalDirectory&) = delete;
  std::string journal() const { return crash_journal_of(path_ + "/web.scoreboard"); }

 private:
  const std::string path_ = "/tmp/brood-test-crashes-" + std::to_string(::getpid());
};

}  // namespace

TEST_CASE("crashes with the same signal, note and place are one group, and the newest group is the first") {
  const std::vector<Crash> all = {crash(1, 11, "GET /a", "f"), crash(2, 6, "GET /a", "f"),
                                  crash(3, 11, "GET /a", "f"), crash(4, 11, "GET /b", "f"),
                                  crash(5, 11, "GET /b", "g"), crash(6, 6, "GET /a", "f")};
  const std::vector<CrashGroup> groups = group_crashes(all);
  REQUIRE(groups.size() == 4);
  CHECK(groups[0].last.time == 6);
  CHECK(groups[0].number == 2);
  CHECK(groups[0].first == 2);
  CHECK(groups[1].last.time == 5);
  CHECK(groups[2].last.time == 4);
  CHECK(groups[3].last.time == 3);
  CHECK(groups[3].number == 2);
  CHECK(group_crashes({}).empty());
}

TEST_CASE("the journal gives back what was written, leaves out what is no line of it, and is bounded") {
  const JournalDirectory directory;
  const std::string path = directory.journal();
  CHECK(path.ends_with("/web.crashes"));
  CHECK(read_crash_journal(path).empty());
  Crash written = crash(7, 11, "GET /\n %=", "f(int)");
  written.peer = "192.0.2.7:47162";
  written.frames = {"#0 f(int) at a.cpp:1 (a+0x1)", "#1 main (a+0x2)"};
  written.exception = "std::runtime_error: no way out";
  written.finished = UINT64_MAX;
  append_to_journal(open_crash_journal(path, {}), written);
  std::ofstream(path, std::ios::app) << "crash time=no\nnonsense\n\ncrash time=7 service=cut";
  append_to_journal(open_crash_journal(path, {}), written);
  const std::vector<Crash> read = read_crash_journal(path);
  REQUIRE(read.size() == 2);
  CHECK(read[1].service == "web");  // although it is behind a line that was cut
  CHECK(read[0].note == written.note);
  CHECK(read[0].peer == written.peer);
  CHECK(read[0].frames == written.frames);
  CHECK(read[0].exception == written.exception);
  CHECK(read[0].finished == written.finished);
  for (int i = 0; i < 3'000; ++i) append_to_journal(open_crash_journal(path, {}), written);
  CHECK(std::filesystem::file_size(path) < 140 << 10);
  CHECK(std::filesystem::file_size(path + ".old") < 140 << 10);
  CHECK(read_crash_journal(path).size() > 100);
}
