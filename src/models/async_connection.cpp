// SPDX-License-Identifier: MIT
// The connection of a coroutine: its waits, and how it ends.
#include "models/async_loop.hpp"
// After it:
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "models/async_relay.hpp"
#include "models/connection_outcome.hpp"

namespace brood {

namespace asio = boost::asio;
using boost::system::error_code;

AsyncConnection::AsyncConnection(AsyncLoop& loop, Connection connection)
    : loop_(loop), connection_(std::move(connection)), socket_(loop.executor()) {
  loop_.add(*this);
}

// Throws boost::system::system_error if the kernel has no room to watch one more.
void AsyncConnection::open() {
  // Boost.Asio needs the address family only for sockets that it opens itself.
  socket_.assign({AF_UNSPEC, 0}, connection_.descriptor());
  socket_.non_blocking(true);
}

// The descriptor is the connection's.
AsyncConnection::~AsyncConnection() {
  error_code ignored;
  socket_.release(ignored);
}

void AsyncConnection::note(std::string_view text) {
  if (!closed_) connection_.note(text);
}

void AsyncConnection::extend_deadline(std::chrono::milliseconds time) {
  if (closed_) return;
  connection_.extend_deadline(time);
  loop_.deadline_moved(*this);
}

void AsyncConnection::set_deadline(std::chrono::milliseconds time) {
  if (closed_) return;
  connection_.set_deadline(time);
  loop_.deadline_moved(*this);
}

// ---- waiting

void AsyncConnection::begin_wait(Wait wait) {
  if (waits_++ == 0) cut_short_ = false;
  if (wait == Wait::output) ++output_waits_;
  if (wait == Wait::request) between_requests_ = true;
  loop_.changed(*this);
}

// Returns the error as the handler gets it.
error_code AsyncConnection::end_wait(Wait wait, error_code error, std::size_t size) {
  if (wait == Wait::request) between_requests_ = false;
  if (wait == Wait::output)
    connection_.add_bytes(0, size);
  else
    connection_.add_bytes(size, 0);
  const bool too_long = closed_ || (cut_short_ && error == asio::error::operation_aborted);
  --waits_;
  if (wait == Wait::output) --output_waits_;
  loop_.changed(*this);
  if (!error) return error;
  if (too_long) error = asio::error::timed_out;
  if (!too_long && error != asio::error::operation_aborted) peer_ended_ = true;
  return ended_ = error;
}

// The waits end, with an error.
void AsyncConnection::cancel() {
  socket_.cancel();
  if (relay_ != nullptr) relay_->cancel();
}

asio::awaitable<std::size_t> AsyncConnection::receive(std::span<char> buffer, Wait wait, int flags) {
  if (peer_ended_) co_return 0;  // Boost.Asio would wait for an event that does not come again
  error_code error;
  begin_wait(wait);
  const std::size_t size = co_await socket_.async_receive(asio::buffer(buffer.data(), buffer.size()), flags,
                                                          asio::redirect_error(asio::use_awaitable, error));
  error = end_wait(wait, error, (flags & Socket::message_peek) == 0 ? size : 0);
  if (error == asio::error::eof || (wait == Wait::request && error == asio::error::timed_out)) co_return 0;
  if (error) broke("read from", error);
  co_return size;
}

ConnectionState AsyncConnection::connection_state() const {
  if (waits_ == 0 || cut_short_) return ConnectionState::handled;
  if (output_waits_ == waits_) return ConnectionState::sending;
  return between_requests_ ? ConnectionState::idle : ConnectionState::waiting;
}

// ---- how it ends

void AsyncConnection::broke(const char* doing, const error_code& error) const {
  const std::string what = text(std::string_view(doing), " ", peer());
  if (error == asio::error::timed_out) throw TimeoutError(what);
  throw ConnectionError(what, error.value());
}

Outcome AsyncConnection::seen_with(Outcome by_handler) const {
  return with_traces(by_handler,
                     {.ended = peer_ended_, .sent = bytes_read() > 0, .answered = bytes_written() > 0});
}

// Within a catch block, of what has left the handler.
Outcome AsyncConnection::failure() const {
  if (closed_) return outcome_;  // by a limit, which was logged; this is what the coroutine got of it
  Outcome outcome = Outcome::failed;
  try {
    throw;
  } catch (const boost::system::system_error& error) {
    // From an algorithm of Boost.Asio over this connection: the same as from its own members.
    const bool of_connection = ended_ && error.code() == ended_;
    if (of_connection) outcome = ended_ == asio::error::timed_out ? Outcome::timed_out : Outcome::peer_gone;
  } catch (...) {
    outcome = outcome_of_exception();
  }
  outcome = seen_with(outcome);
  log_exception(outcome, connection_from(peer()));
  return outcome;
}

}  // namespace brood
