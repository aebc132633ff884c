// SPDX-License-Identifier: MIT
// A program that the bench has started: it ends with this object, and with the bench, whatever happens. And
// the directory that it may leave its files in.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace brood::bench {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Ends processes whose parent is gone: with adopt_orphans() they are ours.
void adopt_orphans();
void end_orphans(const std::vector<pid_t>& pids);

std::string read_file(const std::string& path);  // "" where there is none

// The directory of the bench itself: its neighbours are what it measures.
std::string neighbour(const std::string& name);
bool is_built(const std::string& name);

struct ServiceCommand {
  std::vector<std::string> words;     // the program's path first
  std::string output;                 // the file that stdout and stderr go to
  std::function<void()> before_exec;  // in the new process; only system calls
};

class Program {
 public:
  explicit Program(const ServiceCommand& command);
  ~Program();
  Program(Program&& other) noexcept;
  Program& operator=(Program&&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int signal) const;
  void kill();  // and wait for its end
  bool running();
  // The wait status; empty: it did not end in time.
  std::optional<int> wait(std::chrono::nanoseconds patience);

 private:
  bool reap(int flags);

  pid_t pid_ = -1;  // not reaped yet
  int status_ = 0;
};

}  // namespace brood::bench
