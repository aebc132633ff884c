// SPDX-License-Identifier: MIT
// What a parent leaves to the program that takes its place in the same process, and how it is written down: a
// record a thing. Kinds and fields that a reader doesn't know it passes over, those that it misses it
// refuses: that is how two versions of the kit get along.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/handover.hpp"
#include "listen/listener.hpp"
#include "pool/child_table.hpp"
#include "settings/scaling.hpp"
#include "settings/settings_reader.hpp"

namespace brood {

inline constexpr const char* parent_variable = "BROOD_PARENT";

// What of the control socket crosses an exec().
struct HandedOverControl {
  int descriptor = -1;  // -1: none
  dev_t device = 0;     // of its name in the file system
  ino_t inode = 0;
};

// A child that failed.
struct Failure {
  std::optional<std::uint32_t> slot;  // none: it was detached
  pid_t pid;
  int code, status;  // as waitid() told
};

// How it stands with the command: what the next program of the parent's process has to know.
struct FailureHookRun {
  unsigned failures = 0;  // since the last run
  Failure last{};
  pid_t pid = 0;  // of the one that runs; 0: none
  bool killed = false;
  Time started = Time::min();
};

struct HandedOverChild {
  std::uint32_t slot = 0;  // of the service
  ChildRecord record;
};

struct HandedOverService {
  std::string name;
  std::uint32_t generation = 0;
  bool paused = false, stopped = false;  // by order
  Time drain_until = never;              // of the listeners that are being closed
  std::vector<HandedOverListener> listeners;
  std::vector<HandedOverChild> children;
  std::vector<ChildRecord> detached;
  FailureHookRun on_failure;
  ScaledSettings scaled;  // for the former program, which has all back as it was
};

struct HandedOver {
  // What holds as long as the process lives, whatever the settings say by now.
  std::string name, runtime_directory;
  std::string program;  // path
  std::string pid_file;
  int pid_file_descriptor = -1;  // -1: none
  int report_descriptor = -1;    // the verdict of a start in the background is still awaited
  bool ready = false, told_not_ready = false;
  std::string scoreboard;
  int whole_descriptor = -1, read_only_descriptor = -1;  // of the scoreboard
  int wake_descriptor = -1;
  HandedOverControl control;
  std::vector<int> asker_descriptors;  // of those who wait to hear what came of the upgrade
  GivenSettings settings;              // in force
  std::vector<HandedOverService> services;

  std::string
      refused;  // why the successor gave it back to the program that left it; "": this is the successor
};

Handover to_handover(const HandedOver& inheritance);
HandedOver from_handover(const Handover& handover);  // throws Error

// What makes a handover another one.
WireRecord rehearsal_record();
WireRecord former_record(int descriptor);            // the program that leaves it
int former_descriptor_of(const Handover& handover);  // -1: none
WireRecord refusal_record(std::string_view why);
bool has(const Handover& handover, std::string_view kind);

// For the environment of the process that a handover is for.
std::string variable_for(const Descriptor& handover, pid_t heir);

}  // namespace brood
