// SPDX-License-Identifier: MIT
#include "child/admission/admission.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "base/text.hpp"

namespace brood {
namespace {

std::chrono::microseconds interval_of(const ClientRate& rate) {
  return std::chrono::duration_cast<std::chrono::microseconds>(rate.period) / rate.connections;
}

// AddressBytes with the bits behind the prefix cut off.
AddressBytes network_of(AddressBytes address, unsigned ipv4_prefix, unsigned ipv6_prefix) {
  constexpr unsigned family_bits = 8;
  const unsigned prefix = family_bits + (address.front() == 4 ? ipv4_prefix : ipv6_prefix);
  for (unsigned bit = prefix; bit < 8 * address.size(); ++bit)
    address.at(bit / 8) &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  return address;
}

uid_t user_at(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid != 0 ? peer.uid
                                                                                           : no_user;
}

}  // namespace

Admission::Admission(const AdmissionSettings& settings, const Scoreboard& scoreboard, std::uint32_t slot)
    : settings_(settings), seed_(scoreboard.service().client_seed) {
  if (scoreboard.client_places().empty()) return;  // there was no memory, as the parent has logged
  if (settings.most_connections != 0) counts_.emplace(scoreboard, slot, settings.most_connections);
  if (settings.rate.connections != 0)
    rates_.emplace(scoreboard, interval_of(settings.rate),
                   settings.burst != 0 ? settings.burst : settings.rate.connections);
}

AccessRules::Verdict Admission::find(const Client& client) const {
  return client.address ? settings_.compiled->find(*client.address) : settings_.compiled->find(client.user);
}

ClientHash Admission::hash(const Client& client) const {
  if (!client.address)
    return hash_of({reinterpret_cast<const std::uint8_t*>(&client.user), sizeof client.user}, seed_);
  return hash_of(network_of(*client.address, settings_.ipv4_prefix, settings_.ipv6_prefix), seed_);
}

std::string Admission::reason_of(std::uint32_t rule) const {
  if (rule >= settings_.rules.size()) return "no rule of allow matches";
  constexpr std::string_view deny_word = "deny ";
  return "deny = " + settings_.rules[rule].written().substr(deny_word.size());
}

Admission::Decision Admission::decide(const Address& address, int socket) const {
  Client client{.address = bytes_of(address)};
  if (!client.address && socket != no_socket && (settings_.compiled->has_users() || counts_ || rates_))
    client.user = user_at(socket);
  if (!settings_.compiled->empty())
    if (const auto verdict = find(client); !verdict.admits)
      return {.refusal = RefusedBy::rule, .reason = reason_of(verdict.rule)};
  if (!counts_ && !rates_) return {};
  const ClientHash its = hash(client);
  Decision decision;
  if (counts_) {
    const auto place = counts_->take(its);
    if (!place)
      return {.refusal = RefusedBy::client_limit,
              .reason = text("max-connections-per-client = ", settings_.most_connections)};
    decision.place = *place;
  }
  if (rates_ && !rates_->take(its, Clock::now())) {
    if (counts_) counts_->give_back(decision.place);
    return {.refusal = RefusedBy::client_rate,
            .reason = "client-rate = " + write_client_rate(settings_.rate)};
  }
  return decision;
}

// What the client has sent already is read away: a close() with unread input resets the connection, and the
// client might lose the text.
void Admission::send_refusal(int socket) const {
  const std::string& text = settings_.refusal;
  if (text.empty()) return;
  if (::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
  ::shutdown(socket, SHUT_WR);
  std::array<char, 4096> unwanted;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  for (int i = 0; i < 4 && ::recv(socket, unwanted.data(), unwanted.size(), MSG_DONTWAIT) > 0; ++i) {
  }
}

void Admission::hold(ConnectionId id, ClientCounts::Place place) {
  if (!counts_) return;
  const std::lock_guard lock(mutex_);
  if (places_.size() <= id) places_.resize(id + std::size_t{1}, ClientCounts::no_place);
  places_[id] = place;
}

void Admission::release(ConnectionId id) {
  if (!counts_) return;
  const std::lock_guard lock(mutex_);
  if (id < places_.size()) counts_->give_back(std::exchange(places_[id], ClientCounts::no_place));
}

}  // namespace brood
