// SPDX-License-Identifier: MIT
// Everything that a child gets from its parent. Written by the parent before fork(), or before exec() of a
// child that is a program of its own (models/child_handover).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/lookup/identity.hpp"
#include "base/service/access_log_settings.hpp"
#include "base/service/admission_settings.hpp"
#include "base/service/process_settings.hpp"
#include "brood/child.hpp"
#include "listen/child_listener.hpp"

namespace brood {

class Scoreboard;
class ServerBase;
struct ProxySettings;
struct SandboxSettings;

inline constexpr pid_t no_parent = 0;  // the process serves alone (--single)

struct ChildSetup {
  ServerBase* server;
  const Scoreboard* scoreboard;  // of the service
  std::uint32_t slot;
  std::vector<ChildListener> listeners;  // at least one
  Identity identity;                     // user and groups of the child
  bool no_new_privileges = true;         // see child/privileges.hpp
  bool takes_identity = true;            // false: it had it already when its program was executed
  pid_t parent;
  ChildLimits limits;
  ProcessSettings process = {};
  AccessLogSettings access_log = {};
  std::string notify_address = {};               // where its program says that it is ready; "": it does not
  int output = -1;                               // what standard error becomes; -1: it stays
  const AdmissionSettings* admission = nullptr;  // outlives the child; nullptr: every client may come in
  const ProxySettings* proxy = nullptr;          // outlives the child; needed by a listener with `proxy`
  const SandboxSettings* sandbox = nullptr;      // outlives the child; nullptr: none
  int sandbox_channel = -1;                      // to the parent, if there is a sandbox
};

}  // namespace brood
