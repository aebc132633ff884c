// SPDX-License-Identifier: MIT
// The connection of a coroutine: its waits, and how it ends.
#include "models/async_loop.hpp"
// After it:
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.hpp"
#include "brood/error.hpp"
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

// ---- waiting

void AsyncConnection::begin_wait(Wait wait) {
  if (waits_++ == 0) cut_short_ = silent_ = false;
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
  loop_.changed(*this);
  if (!error) return error;
  if (too_long) error = asio::error::timed_out;
  // A connection whose peer sends nothing has not failed; one whose peer does not take its answer has.
  if (too_long && wait != Wait::output) silent_ = true;
  return ended_ = error;
}

asio::awaitable<std::size_t> AsyncConnection::receive(std::span<char> buffer, Wait wait, int flags) {
  error_code error;
  begin_wait(wait);
  const std::size_t size = co_await socket_.async_receive(asio::buffer(buffer.data(), buffer.size()), flags,
                                                          asio::redirect_error(asio::use_awaitable, error));
  error = end_wait(wait, error, (flags & Socket::message_peek) == 0 ? size : 0);
  if (error == asio::error::eof || (wait == Wait::request && error == asio::error::timed_out)) co_return 0;
  if (error) broke("read from", error);
  co_return size;
}

asio::awaitable<std::size_t> AsyncConnection::read_some(std::span<char> buffer) {
  return receive(buffer, Wait::input, 0);
}

asio::awaitable<std::size_t> AsyncConnection::next_request(std::span<char> buffer) {
  return receive(buffer, Wait::request, 0);
}

asio::awaitable<bool> AsyncConnection::next_request() {
  char first = 0;
  co_return co_await receive({&first, 1}, Wait::request, Socket::message_peek) > 0;
}

asio::awaitable<void> AsyncConnection::write_all(std::string_view data) {
  while (!data.empty()) {
    error_code error;
    begin_wait(Wait::output);
    const std::size_t size = co_await socket_.async_write_some(
        asio::buffer(data), asio::redirect_error(asio::use_awaitable, error));
    error = end_wait(Wait::output, error, size);
    if (error) broke("write to", error);
    data.remove_prefix(size);
  }
}

ConnectionState AsyncConnection::state() const {
  if (waits_ == 0 || cut_short_) return ConnectionState::handled;
  return between_requests_ ? ConnectionState::idle : ConnectionState::waiting;
}

// ---- how it ends

void AsyncConnection::broke(const char* doing, const error_code& error) const {
  throw SystemError(text(std::string_view(doing), " ", peer()), error.value(), ExitCode::software);
}

// Within a catch block, of what has left the handler.
Outcome AsyncConnection::failure() const {
  const std::string name = connection_from(peer());
  try {
    throw;
  } catch (const SystemError& error) {
    const bool by_a_limit = error.error_number() == ETIMEDOUT && (closed_ || silent_);
    return by_a_limit ? Outcome::served : log_failure(name);
  } catch (const boost::system::system_error& error) {
    // From an algorithm of Boost.Asio over this connection: no louder than from its own members.
    if (!ended_ || error.code() != ended_) return log_failure(name);
    if (closed_ || silent_) return Outcome::served;
    return guard_connection(connection_, [this] { broke("talk with", ended_); });
  } catch (...) {
    return log_failure(name);
  }
}

}  // namespace brood
