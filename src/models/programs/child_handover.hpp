// SPDX-License-Identifier: MIT
// A child's slot crosses exec(): what a forked child writes down for the program that it becomes, and how
// that program reads it. Runs nothing.
#pragma once

#include <string>
#include <vector>

#include "base/handover.hpp"
#include "base/log/log_target.hpp"
#include "base/service/proxy_settings.hpp"
#include "child/child_setup.hpp"
#include "scoreboard/scoreboard.hpp"

namespace brood {

inline constexpr const char* child_variable = "BROOD_CHILD";

// `table`: the scoreboard's descriptors. From here on all that the records name stays open over exec().
// Returns the memory whose address belongs into child_variable. Throws SystemError.
Descriptor hand_over_child(const ChildSetup& setup, const MappingDescriptors& table);

class ReceivedChild {
 public:
  // Receives all descriptors. Throws ConfigurationError if the records and this program don't fit together:
  // starting it again won't help.
  explicit ReceivedChild(const Handover& handover);
  ReceivedChild(const ReceivedChild&) = delete;
  ReceivedChild& operator=(const ReceivedChild&) = delete;

  const std::string& service() const { return service_; }  // the name
  const Scoreboard& scoreboard() const { return *scoreboard_; }
  const LogTarget& log() const { return log_; }
  std::uint32_t log_epoch() const { return log_epoch_; }
  // Valid as long as this object. Without an identity: the child has the right user already.
  ChildSetup setup() const;

 private:
  void read(const Handover& handover);
  void read_child(const WireRecord& record);
  void read_listener(const WireRecord& record);
  void read_log(const WireRecord& record);

  std::string service_;
  std::optional<Scoreboard> scoreboard_;
  std::uint32_t slot_ = 0;
  pid_t parent_ = 0;
  ChildLimits limits_;
  ProcessSettings process_;
  AccessLogSettings access_log_;
  AdmissionSettings admission_;
  ProxySettings proxy_;
  std::vector<Descriptor> descriptors_;  // of the listeners
  std::vector<ChildListener> listeners_;
  LogTarget log_;
  std::uint32_t log_epoch_ = 0;
};

}  // namespace brood
