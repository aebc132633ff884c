// SPDX-License-Identifier: MIT
#include "child/handler_guard.hpp"

#include <cxxabi.h>

#include <exception>
#include <typeinfo>

#include "base/crash/place_in_code.hpp"
#include "base/text.hpp"
#include "brood/error.hpp"
#include "child/client_messages.hpp"

namespace brood {
namespace {

// Of an exception with this outcome.
ClientMessage kind_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::failed:
      return ClientMessage::handler_failed;
    case Outcome::served:
      return ClientMessage::protocol_fault;
    default:
      return ClientMessage::time_limit;
  }
}

}  // namespace

[[gnu::hot]] Outcome with_traces(Outcome by_handler, const PeerTraces& traces) {
  if (!traces.ended || traces.sent) return by_handler;
  const bool broke = by_handler == Outcome::peer_gone;
  return broke || !traces.answered ? Outcome::probe : by_handler;
}

[[gnu::hot]] PeerTraces traces_of(const Connection& connection) {
  return {.ended = connection.peer_ended(),
          .sent = connection.bytes_read() > 0,
          .answered = connection.bytes_written() > 0};
}

Outcome outcome_of_exception() {
  try {
    throw;
  } catch (const TimeoutError&) {
    return Outcome::timed_out;
  } catch (const ConnectionError&) {
    return Outcome::peer_gone;
  } catch (const TooLongError&) {
    return Outcome::served;  // as if the handler had found the mistake of the peer's itself, and returned
  } catch (...) {
    return Outcome::failed;
  }
}

void log_exception(Outcome outcome, const std::string& whose) {
  const std::string where = where_thrown();  // or it would be that of the next one
  if (outcome == Outcome::probe) return;
  const bool failed = outcome == Outcome::failed;
  std::string what;
  try {
    throw;
  } catch (const std::exception& error) {
    what = text(" ended by an exception: ", std::string_view(error.what()));
  } catch (...) {
    what = " ended by an exception that is no std::exception";
  }
  if (const std::type_info* const type = abi::__cxa_current_exception_type(); failed && type != nullptr)
    what += text(" (", demangled(type->name()), ')', where);
  if (outcome == Outcome::peer_gone) return log_debug(whose + what);
  log_for_client(kind_of(outcome), failed ? LogLevel::warning : LogLevel::info, whose + what);
}

}  // namespace brood
