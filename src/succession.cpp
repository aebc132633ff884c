// SPDX-License-Identifier: MIT
#include "succession.hpp"

#include <algorithm>

#include "brood/error.hpp"
#include "heir.hpp"
#include "text.hpp"

namespace brood {
namespace {

void check_service(const InheritedService& left, const ServiceConfiguration& configuration,
                   const Scoreboard& scoreboard) {
  const auto index = scoreboard.find(left.name);
  if (!index) throw Error(text("service ", left.name, " has no place on the scoreboard"));
  const std::uint32_t slots = scoreboard.service(*index).slot_count;
  if (configuration.limits.max_clients > slots)
    throw ConfigurationError(text("max-clients = ", configuration.limits.max_clients, " exceeds the ", slots,
                                  " slots that the scoreboard was made with; more need a restart"));
  for (const auto& child : left.children)
    if (child.slot >= slots || child.record.pid <= 0)
      throw Error(text("a child of service ", left.name, " has no slot on the scoreboard"));
  // Connections that wait there would be for somebody who can't read them.
  for (const auto& listener : left.listeners)
    if (const auto brings = listener.spec.brings(); brings && *brings != configuration.model.takes)
      throw ConfigurationError(
          text("listen = ", listener.spec.written, " ", misfit(*brings, configuration.model.takes)));
}

}  // namespace

Scoreboard open_scoreboard(const Inheritance& left) {
  return {{.whole = Heir::share(left.whole_descriptor), .read_only = Heir::share(left.read_only_descriptor)},
          left.scoreboard,
          Mapping::Side::parent};
}

void check_succession(const Inheritance& left, const std::vector<ServiceConfiguration>& services) {
  const Scoreboard scoreboard = open_scoreboard(left);
  for (const auto& configuration : services) {
    const auto found = std::ranges::find(left.services, configuration.name, &InheritedService::name);
    if (found == left.services.end())
      throw ConfigurationError(
          text("service ", configuration.name, " is not one of the running server's; that needs a restart"));
    check_service(*found, configuration, scoreboard);
  }
  for (const auto& service : left.services)
    if (std::ranges::find(services, service.name, &ServiceConfiguration::name) == services.end())
      throw ConfigurationError(text("the running server's service ", service.name,
                                    " is none of this program; that needs a restart"));
}

void check_room(const Inheritance& left) {
  constexpr std::size_t enough = 16;
  std::vector<Descriptor> room;
  while (room.size() < enough) room.push_back(Heir::share(left.wake_descriptor));
}

}  // namespace brood
