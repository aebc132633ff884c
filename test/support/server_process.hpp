// SPDX-License-Identifier: MIT
// A real server program, started for one test and gone after it, with all that it made: on a free port, with
// a scoreboard and a log of its own, so that any number of tests run side by side. Nothing of the server is
// mocked.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "brood/snapshot.hpp"
#include "client.hpp"
#include "eventually.hpp"

namespace brood::test {

// A directory that is gone with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Absolute paths: of a program in the build directory, of a file in example/.
std::string program_path(const std::string& program);
std::string example_path(const std::string& example);

struct Exit {
  int code = -1;  // -1: ended by a signal
  int signal = 0;
  bool operator==(const Exit&) const = default;
};
std::string to_string(const Exit& exit);
inline Exit exited(int code) { return {.code = code}; }
inline Exit killed_by(int signal) { return {.signal = signal}; }

struct ServerOptions {
  std::string program = "brood-test-server";  // in the build directory, or a whole path
  bool listen = true;                         // add --listen=127.0.0.1:0
  bool runtime_directory = true;              // add --runtime-directory
  bool allow_root = true;                     // add --allow-root=yes: tests may be root
  bool log = true;                            // add --log=FILE
  bool wait_ready = true;  // construction ends when the server is ready; throws when that doesn't come
  uid_t user = static_cast<uid_t>(-1);  // who the server runs as, where the test is root
  bool heed_sanitizers = true;          // false: their reports are no failure
  std::function<void()> in_process;     // runs in the new process, before it becomes the user and exec
};

class ServerProcess {
 public:
  explicit ServerProcess(std::vector<std::string> arguments = {}, ServerOptions options = {});
  ~ServerProcess();  // SIGKILL to what is left of the server's processes
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Reads the ready line; throws when it doesn't come.
  void wait_ready();
  bool is_ready() const;

  pid_t pid() const { return pid_; }  // of the parent
  const std::vector<std::string>& addresses() const { return addresses_; }
  const std::string& address() const { return addresses_.at(0); }
  const std::string& scoreboard() const { return scoreboard_; }
  std::string ready_line() const;

  Client connect() const { return Client(address()); }
  // Connections, each known to be in the hand of a child of its own.
  std::vector<Client> hold(unsigned number) const;

  void signal(int number) const;
  void signal_group(int number) const;  // the server is a process group of its own
  std::optional<Exit> wait_exit(std::chrono::milliseconds deadline = patience);
  bool running();

  std::string log() const;             // the whole of it
  std::string standard_error() const;  // and what it wrote to its terminal
  std::string standard_output() const;
  bool wait_for_log(const std::string& text) const;
  unsigned count_in_log(const std::string& text) const;
  std::string log_path() const { return directory_ / "log"; }

  Snapshot snapshot() const { return Snapshot::read(scoreboard_); }
  ServiceSnapshot service() const { return snapshot().services.at(0); }
  // Waits for a snapshot of which `condition` holds; where none comes, says how it was at last.
  bool reaches(const std::function<bool(const ServiceSnapshot&)>& condition) const;
  std::vector<pid_t> children() const;    // as the kernel has them
  bool shows_leaving(pid_t child) const;  // waits until the scoreboard says so

  const TemporaryDirectory& directory() const { return directory_; }

 private:
  [[noreturn]] void become_program(int program, std::vector<char*>& arguments,
                                   const ServerOptions& options) const;

  TemporaryDirectory directory_;
  pid_t pid_ = -1;
  pid_t tester_ = -1;
  bool heed_sanitizers_ = true;
  std::optional<Exit> exit_;
  std::vector<std::string> addresses_;
  std::string scoreboard_;
};

std::string describe(const ServiceSnapshot& service);

// All children are of this generation, and there are enough.
std::function<bool(const ServiceSnapshot&)> settled_at(std::uint32_t generation);

// Settings of a service that has so many children at once, and no more.
std::vector<std::string> pool(unsigned children);

}  // namespace brood::test
