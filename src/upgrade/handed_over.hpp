// SPDX-License-Identifier: MIT
// What a parent hands over to the next program of its process, and how it is written: one record for each
// thing. Programs of two versions understand each other: a reader skips kinds and fields that it doesn't
// know, and refuses what lacks one that it needs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/handover.hpp"
#include "base/log/log_channel.hpp"
#include "listen/listener.hpp"
#include "pool/child_table.hpp"
#include "pool/output/child_output.hpp"
#include "pool/output/forbidden_calls.hpp"
#include "pool/throttle.hpp"
#include "scoreboard/report/figures_log.hpp"
#include "scoreboard/scoreboard.hpp"
#include "settings/configuration.hpp"

namespace brood {

inline constexpr const char* parent_variable = "BROOD_PARENT";

struct HandedOverScoreboard {
  std::string path;                                                            // "": it is anonymous
  int whole_descriptor = -1, read_only_descriptor = -1, wake_descriptor = -1;  // -1: there is none

  static HandedOverScoreboard of(const Scoreboard& scoreboard, std::string path);
};

struct HandedOverControl {
  int descriptor = -1;  // -1: none
  dev_t device = 0;     // of its file
  ino_t inode = 0;
};

// A child that failed.
struct Failure {
  std::optional<std::uint32_t> slot;  // none: it was detached
  pid_t pid;
  int code, status;  // of waitid()
};

// The state of a service's on-failure command.
struct FailureHookRun {
  unsigned failures = 0;  // since the last run
  Failure last{};
  pid_t pid = 0;  // of the command that runs; 0: none
  bool killed = false;
  Time started = Time::min();
};

struct HandedOverChild {
  std::uint32_t slot = 0;  // of the service
  ChildRecord record;
};

struct HandedOverService {
  std::string name;
  HandedOverScoreboard scoreboard;
  std::uint32_t generation = 0;
  bool paused = false, stopped = false;  // by order
  Time drain_until = never;              // for the listeners that are being closed
  std::vector<HandedOverListener> listeners;
  std::vector<HandedOverChild> children;
  std::vector<ChildRecord> detached;
  LogChannelDescriptors log_channel;  // if it has a log of its own
  FailureHookRun on_failure;
  HandedOverOutput output{};
  int notify_descriptor = -1;  // -1: there is none
  HandedOverSandboxes sandboxes{};
  ThrottleDelay throttle;
  FiguresInterval figures{};
  // In force. Only the former program needs them, if it gets everything back.
  GivenSettings settings;
  ScaledSettings scaled;
};

struct HandedOver {
  // These can't change while the process lives, whatever the settings say.
  std::string name, runtime_directory;
  std::string program;  // path
  std::string pid_file;
  int pid_file_descriptor = -1;  // -1: none
  int name_descriptor = -1;      // of the file by which it has its name; -1: none
  int report_descriptor = -1;    // -1, or a start in the background that still waits for "ready"
  bool ready = false, reported_not_ready = false;
  std::string scoreboard;            // path of the file, or of the directory with the files
  HandedOverScoreboard server_file;  // in the directory
  HandedOverControl control;
  LogChannelDescriptors log_channel;
  std::vector<int> asker_descriptors;  // of clients of the control socket that wait for the upgrade's outcome
  std::vector<int> inherited_descriptors;  // that no service serves yet
  std::vector<HandedOverListener> status_listeners;
  GivenSettings settings;  // of the parent, in force
  std::vector<HandedOverService> services;

  std::string refused;  // why the new program gave everything back (give_back.hpp); "": it has not
};

Handover to_handover(const HandedOver& from);
HandedOver from_handover(const Handover& handover);  // throws Error

bool has(const Handover& handover, std::string_view kind);

// A handover with a record of this kind is a copy, for a rehearsal.
inline constexpr const char* rehearsal_kind = "rehearsal";

// "NAME=VALUE" for the environment of the process that the handover is for.
std::string variable_for(const Descriptor& handover, pid_t reader);

}  // namespace brood
