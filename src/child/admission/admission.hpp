// SPDX-License-Identifier: MIT
// Which clients may come in: the settings allow, deny, max-connections-per-client, client-rate and refusal.
// In a child; any thread. A child without these settings has none of this.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/service/admission_settings.hpp"
#include "brood/scoreboard_types.hpp"
#include "scoreboard/client_table.hpp"

namespace brood {

class Admission {
 public:
  static constexpr int no_socket = -1;

  Admission(const AdmissionSettings& settings, const Scoreboard& scoreboard, std::uint32_t slot);

  struct Decision {
    std::optional<RefusedBy> refusal;  // empty: the client may come in, and holds `place`
    ClientCounts::Place place = ClientCounts::no_place;
    std::string reason;  // of a refusal, for people
  };
  // `socket`: the connection, if `address` is at its other end; for a unix socket it tells the user. It can
  // be called later than accept(), when a client's address has become known.
  Decision decide(const Address& address, int socket) const;

  // Without waiting.
  void send_refusal(int socket) const;

  // The connection holds the place until it is given to release().
  void hold(ConnectionId id, ClientCounts::Place place);
  void release(ConnectionId id);

 private:
  struct Client {
    std::optional<AddressBytes> address;  // empty: of a unix socket
    uid_t user = no_user;
  };
  AccessRules::Verdict find(const Client& client) const;
  ClientHash hash(const Client& client) const;
  std::string reason_of(std::uint32_t rule) const;

  const AdmissionSettings& settings_;
  const std::uint64_t seed_;
  std::optional<ClientCounts> counts_;
  std::optional<ClientRates> rates_;
  std::mutex mutex_;
  std::vector<ClientCounts::Place> places_;  // by connection
};

}  // namespace brood
