// SPDX-License-Identifier: MIT
// Tests of a server of one's own: a handler alone, without a process, and the whole server. For any test
// framework; brood_testing(3) has examples.
#pragma once

#include "brood/cxx20.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "brood/child.hpp"
#include "brood/server.hpp"
#include "brood/snapshot.hpp"

namespace brood::testing {

// What became of one connection.
struct Result {
  std::string output;              // all that the peer received
  std::vector<std::string> notes;  // each text that was given to Connection::note()
  Outcome outcome = Outcome::served;
};

// Serves one connection, over a socketpair, in this process: the peer sends `input`, ends sending, and reads
// until the end. `server` is of any child model that serves connections; no hook is called, and settings have
// their defaults. The handler runs in this thread, the peer in another. An exception of the handler is the
// outcome `failed`, as in a child. Throws Error if the server takes no connection, and what serve() throws.
Result run(ServerBase& server, std::string_view input, const ChildLimits& limits = {});
// The same for the body of handle_connection().
Result run(const std::function<void(Connection&)>& handler, std::string_view input);

// A server that runs until the end of the scope, with a log, a runtime directory and a port of its own:
//
//   brood::testing::Running server(Echo{}, {"--max-clients=2"});
//   CHECK(server.exchange("hello\n") == "hello\n");
//
// It is a copy of this process, made by fork(): construct it before the test starts threads. The server's
// processes end with this process, however that ends.
class Running {
 public:
  // Returns when the server is ready. Throws Error, with all that it has logged and printed, if it ends
  // instead. `arguments` are those of the command line. What they do not set is: listen, a free port of
  // 127.0.0.1; start-servers and min-spare-servers, 1.
  explicit Running(ServerBase& server, std::vector<std::string> arguments = {});
  explicit Running(ServerBase&& server, std::vector<std::string> arguments = {})
      : Running(server, std::move(arguments)) {}
  // Of a Program: `main` is called in the new process.
  explicit Running(const std::function<int(int, char**)>& main, std::vector<std::string> arguments = {});
  // Stops it: SIGTERM, and SIGKILL 10 seconds later.
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const { return pid_; }                       // of the parent
  const std::string& address() const { return address_; }  // of its first listener: "127.0.0.1:40123"
  std::uint16_t port() const;                              // 0: that has none
  const std::string& scoreboard() const { return scoreboard_; }
  Snapshot snapshot() const { return Snapshot::read(scoreboard_); }
  std::string log() const;  // all of it

  // One connection: sends `input`, ends sending, and returns what comes until the end. Throws SystemError.
  std::string exchange(std::string_view input) const;

  // Sends SIGTERM and waits, for 10 seconds at most. Returns the exit code, or 128 and the signal that ended
  // it.
  int stop();

 private:
  class Directory;

  void wait_until_ready();
  [[noreturn]] void fail(const std::string& what) const;

  std::unique_ptr<Directory> directory_;
  pid_t pid_ = -1;
  int status_ = -1;  // of the server that has ended
  std::string address_, scoreboard_;
};

}  // namespace brood::testing
