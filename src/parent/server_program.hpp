// SPDX-License-Identifier: MIT
// What the parent needs of the program that it runs in: settings, log, pid file and background start. It is
// implemented in src/program/running_program.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"
#include "scoreboard/scoreboard_place.hpp"
#include "settings/service_source.hpp"
#include "upgrade/executable.hpp"
#include "upgrade/handed_over.hpp"

namespace brood {

// What whoever manages the server, such as systemd, may want to know of it.
struct ServerState {
  bool ready = false;         // a client finds a child in every service
  bool stopping = false;      // or draining
  bool draining = false;      // it serves on until then
  bool reloading = false;     // a reload waits or is under way
  std::uint64_t reloads = 0;  // how many were asked for by SIGHUP
};

struct ServerLoad {
  unsigned children = 0, busy = 0, spare = 0, max_clients = 0;
  unsigned waiting = 0;  // in the queues of the listeners

  bool operator==(const ServerLoad&) const = default;
};

// What the process of status-listen needs of the parent.
struct ReporterHost {
  // If one of them is another, so are the services, or the settings, or the log was reopened.
  std::uint64_t epoch = 0;
  std::size_t services = 0;
  // In that process, when it is fresh: closes all that the parent has open, and returns read-only descriptors
  // of the scoreboards, the server's own first. Throws SystemError.
  std::function<std::vector<Descriptor>()> become_reader;
};

class ServerProgram {
 public:
  virtual const std::string& name() const = 0;
  virtual const ScoreboardPlace& scoreboards() const = 0;
  virtual ServiceRules rules() const = 0;
  virtual const Executable& executable() const = 0;  // the program of this process

  // ServiceSource::read(), beside the parent's settings that are in force. Changes nothing. Throws Error.
  virtual WantedSettings read_settings(InForce services) const = 0;
  virtual std::chrono::milliseconds drain_delay() const = 0;  // in force
  // Puts the parent's settings in force.
  virtual void apply_settings(std::shared_ptr<const Configuration> parent) = 0;
  virtual WantedService scale(const ServiceConfiguration& in_force, const ScaledSettings& scaled) const = 0;

  // Makes the files again that somebody has removed or replaced since they were made. What can't be mended is
  // logged.
  virtual void look_at_files() = 0;
  // The server begins to stop: another one of its name may start from now on.
  virtual void let_successor_start() = 0;
  // When its files are removed; unless another server of its name has begun to use it.
  virtual void remove_scoreboard_directory() = 0;
  virtual void close_in_child() = 0;  // in a fresh child: closes what belongs to the program alone
  // A child has failed before the server was ready. Called once at most.
  virtual void report_not_ready() = 0;
  // A client finds a child in every service. `addresses`: those of all listeners, for people.
  virtual void report_ready(std::string_view addresses) = 0;
  // At each look. `load` may be called. Returns when to call this again.
  virtual Time tell_state(const ServerState& state, const std::function<ServerLoad()>& load, Time now) = 0;
  // At each look. Keeps the process of status-listen running. Returns when to call this again.
  virtual Time look_at_reporter(const ReporterHost& host, Time now) = 0;
  // False: the process is none of the program's.
  virtual bool process_ended(pid_t pid, int code, int status, Time now) = 0;
  // Adds what belongs to the program to what is handed to the next program of this process.
  virtual void hand_over(HandedOver& to) const = 0;

 protected:
  ~ServerProgram() = default;
};

}  // namespace brood
