// SPDX-License-Identifier: MIT
// What a child does with a client that may not come in: no handler sees it, and it is not among the accepted.
#include "base/text.hpp"
#include "child/child_process.hpp"
#include "child/client_messages.hpp"

namespace brood {

// The oldest one goes, because the queue gives no other: the child then takes the next.
bool ChildProcess::refused_for_overload() const {
  const std::uint32_t most = slot_.overload_queue();
  return most != 0 && clients_waiting() > most;
}

std::optional<ClientCounts::Place> ChildProcess::admit(const Address& client, std::size_t listener,
                                                       int socket, ClientIs where) {
  Admission::Decision decision =
      refused_for_overload()
          ? Admission::Decision{.refusal = RefusedBy::overload, .reason = "overload = refuse"}
          : admission_->decide(client, where == ClientIs::at_the_other_end ? socket : Admission::no_socket);
  if (!decision.refusal) return decision.place;
  if (socket != Admission::no_socket) admission_->send_refusal(socket);
  slot_.refused(*decision.refusal);
  log_for_client(ClientMessage::refused, LogLevel::info,
                 text(socket == Admission::no_socket ? "datagram from " : "connection from ", client.text(),
                      " at ", wait_.listeners()[listener].name, " is refused: ", decision.reason));
  sum_up_client_messages();
  return {};
}

}  // namespace brood
