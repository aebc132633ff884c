// SPDX-License-Identifier: MIT
// The blocking child model: one connection at a time.
#include "brood/server.hpp"

#include <exception>

#include "brood/error.hpp"
#include "text.hpp"

namespace brood {

void Server::serve(Child& child) {
  while (auto connection = child.accept()) {
    Outcome outcome = Outcome::served;
    try {
      handle_connection(*connection);
    } catch (const SystemError& error) {  // mostly a peer that went away: no cause for alarm
      outcome = Outcome::failed;
      log_info(text("connection ended by an exception: ", std::string_view(error.what())));
    } catch (const std::exception& error) {
      outcome = Outcome::failed;
      log_warning(text("connection from ", connection->peer(),
                       " ended by an exception: ", std::string_view(error.what())));
    } catch (...) {
      outcome = Outcome::failed;
      log_warning(
          text("connection from ", connection->peer(), " ended by an exception that is no std::exception"));
    }
    child.finished(std::move(*connection), outcome);
  }
}

}  // namespace brood
