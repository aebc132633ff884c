// SPDX-License-Identifier: MIT
// The birth of a child whose life is another program's: what a forked child leaves to the program that it
// becomes, and what that takes over. Decides nothing, and runs nothing.
#pragma once

#include <string>
#include <vector>

#include "base/handover.hpp"
#include "base/log_target.hpp"
#include "child/child_setup.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

inline constexpr const char* child_variable = "BROOD_CHILD";

// `table`: the scoreboard's descriptors. Everything that is told stays open over exec() from here on. Returns
// what child_variable is to say. Throws SystemError.
Descriptor hand_over_child(const ChildSetup& setup, const MappingDescriptors& table);

class ReceivedChild {
 public:
  // Takes over all descriptors that are told. Throws ConfigurationError where something of it does not fit:
  // starting again won't help.
  explicit ReceivedChild(const Handover& handover);
  ReceivedChild(const ReceivedChild&) = delete;
  ReceivedChild& operator=(const ReceivedChild&) = delete;

  const std::string& service() const { return service_; }  // its name
  const Scoreboard& scoreboard() const { return *scoreboard_; }
  const LogTarget& log() const { return log_; }
  std::uint32_t log_epoch() const { return log_epoch_; }
  // Valid as long as this is. As whom the child lives is settled.
  ChildSetup setup() const;

 private:
  void take(const Handover& handover);
  void take_child(const WireRecord& record);
  void take_listener(const WireRecord& record);
  void take_log(const WireRecord& record);

  std::string service_;
  std::optional<Scoreboard> scoreboard_;
  std::uint32_t index_ = 0, slot_ = 0;
  pid_t parent_ = 0;
  Descriptor wake_;
  ChildLimits limits_;
  std::vector<Descriptor> descriptors_;  // of the listeners
  std::vector<ChildListener> listeners_;
  LogTarget log_;
  std::uint32_t log_epoch_ = 0;
};

}  // namespace brood
