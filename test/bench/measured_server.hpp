// SPDX-License-Identifier: MIT
// The servers that are measured, each in a directory of its own: one of the kit's, seen through its log and
// its scoreboard, and the bare loop. And the load that runs beside them.
#pragma once

#include <brood/snapshot.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "load_client.hpp"
#include "program.hpp"
#include "turns.hpp"

namespace brood::bench {

using Words = std::vector<std::string>;

// The kit's five numbers, as words of a command line.
Words pool(unsigned start, unsigned min_spare, unsigned max_spare, unsigned max_clients);
inline Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}
// All children that there may ever be, from the beginning.
inline Words fixed_pool(unsigned children) { return pool(children, children, children, children); }

class MeasuredServer {
 public:
  struct Surroundings {
    Words listen = {"127.0.0.1:0"};
    std::optional<uid_t> user;  // of the parent
    std::string directory;      // for log and scoreboard; "": one of its own
    std::function<void()>
        before_exec;  // as ServiceCommand's; after the user has changed nothing more is permitted
  };

  // Returns when the server is ready. `name`: "echo", or another program beside the bench, or a whole path.
  MeasuredServer(const std::string& name, const Words& settings)
      : MeasuredServer(name, settings, Surroundings()) {}
  MeasuredServer(const std::string& name, const Words& settings, const Surroundings& surroundings);
  ~MeasuredServer();
  MeasuredServer(const MeasuredServer&) = delete;
  MeasuredServer& operator=(const MeasuredServer&) = delete;

  Program& program() { return program_; }
  const std::string& address() const { return addresses_.front(); }
  const Words& addresses() const { return addresses_; }

  const std::string& scoreboard() const { return scoreboard_; }
  Snapshot snapshot() const { return Snapshot::read(scoreboard_); }
  ServiceSnapshot service() const { return snapshot().services.at(0); }
  std::vector<pid_t> children() const;
  Contestant contestant() const { return {address(), children()}; }
  std::string log() const { return read_file(log_path()); }

 private:
  std::string place() const { return given_directory_.empty() ? directory_.path() : given_directory_; }
  std::string log_path() const { return place() + "/log"; }
  ServiceCommand command(const std::string& name, const Words& settings,
                         const Surroundings& surroundings) const;
  void await_ready();

  TemporaryDirectory directory_;
  std::string given_directory_;
  Program program_;
  Words addresses_;
  std::string scoreboard_;
};

bool any_torn(const ServiceSnapshot& service);
bool all_of_generation(const ServiceSnapshot& service, std::uint32_t generation);

// What a server has counted after a load that lost nothing: `exact`, what the clients counted.
struct Counted {
  ServiceSnapshot service;
  bool exact = false;
};
// Waits until it is that, for 5 s.
Counted counted_after(const LoadResult& load, const MeasuredServer& server);

class BareServer {
 public:
  // `name`: "brood-bare", or another program that takes the same words and answers with its port.
  BareServer(const std::string& name, unsigned children);
  ~BareServer();
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;
  std::string address() const { return address_; }
  std::vector<pid_t> children() const;
  Contestant contestant() const { return {address(), children()}; }

 private:
  TemporaryDirectory directory_;
  Program program_;
  std::string address_;
};

class BackgroundLoad {
 public:
  explicit BackgroundLoad(LoadPlan plan)
      : plan_(std::move(plan)), thread_([this] { result_ = run_load(plan_, watch_); }) {}
  ~BackgroundLoad() { finish(); }
  BackgroundLoad(const BackgroundLoad&) = delete;
  BackgroundLoad& operator=(const BackgroundLoad&) = delete;

  std::uint64_t answered() const { return watch_.answered.load(std::memory_order_relaxed); }
  // Lets what stands be answered, and begins nothing more.
  const LoadResult& finish();

 private:
  LoadPlan plan_;
  LoadWatch watch_;
  LoadResult result_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace brood::bench
