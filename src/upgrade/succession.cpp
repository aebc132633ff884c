// SPDX-License-Identifier: MIT
#include "upgrade/succession.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "settings/command_settings.hpp"
#include "upgrade/heir.hpp"

namespace brood {
namespace {

void check_service(const HandedOverService& left, const ServiceConfiguration& configuration,
                   const Scoreboard& scoreboard) {
  const auto index = scoreboard.find(left.name);
  if (!index) throw Error(text("service ", left.name, " has no place on the scoreboard"));
  const std::uint32_t slots = scoreboard.service(*index).slot_count;
  const unsigned most = in_effect(configuration).limits.max_clients;
  if (most > slots)
    throw ConfigurationError(text("max-clients = ", most, " exceeds the ", slots,
                                  " slots that the scoreboard was made with; more need a restart"));
  for (const auto& child : left.children)
    if (child.slot >= slots || child.record.pid <= 0)
      throw Error(text("a child of service ", left.name, " has no slot on the scoreboard"));
  // Connections that wait there would be for somebody who can't read them.
  for (const auto& listener : left.listeners)
    if (const auto brings = listener.spec.brings(); brings && !fits(configuration.model.work, *brings))
      throw ConfigurationError(
          text("listen = ", listener.spec.written, " ", work_mismatch(*brings, configuration.model.work)));
}

}  // namespace

Scoreboard open_scoreboard(const HandedOver& left) {
  return {{.whole = Heir::share(left.whole_descriptor), .read_only = Heir::share(left.read_only_descriptor)},
          left.scoreboard,
          Side::parent};
}

void check_succession(const HandedOver& left, const std::vector<WantedService>& wanted, bool may_be_new) {
  const Scoreboard scoreboard = open_scoreboard(left);
  for (const auto& each : wanted) {
    if (!each.configuration) throw ConfigurationError(each.mistakes);
    const auto found = std::ranges::find(left.services, each.name, &HandedOverService::name);
    if (found != left.services.end())
      check_service(*found, *each.configuration, scoreboard);
    else if (!may_be_new)
      throw ConfigurationError(
          text("service ", each.name, " is not one of the running server's; that needs a restart"));
  }
  for (const auto& service : left.services)
    if (std::ranges::find(wanted, service.name, &WantedService::name) == wanted.end())
      throw ConfigurationError(text("the running server's service ", service.name,
                                    " is none of this program; that needs a ",
                                    may_be_new ? "reload first" : "restart"));
}

void check_room(const HandedOver& left) {
  constexpr std::size_t enough = 16;
  std::vector<Descriptor> room;
  while (room.size() < enough) room.push_back(Heir::share(left.wake_descriptor));
}

}  // namespace brood
