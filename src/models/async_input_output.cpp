// SPDX-License-Identifier: MIT
// What a coroutine reads from its connection and writes to it.
#include "models/async_loop.hpp"
// After it:
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "child/connection/input_buffer.hpp"

namespace brood {

namespace asio = boost::asio;
using boost::system::error_code;

// ---- reading

// 0: the peer has ended, or there is no next request.
asio::awaitable<std::size_t> AsyncConnection::fill_input(Wait wait) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by receive
  const std::size_t size = co_await receive(buffer, wait, 0);
  if (!input_) input_ = std::make_unique<InputBuffer>();
  input_->append({buffer.data(), size});
  co_return size;
}

asio::awaitable<std::size_t> AsyncConnection::take_some(std::span<char> buffer, Wait wait) {
  while (skips()) {
    const std::size_t size = co_await fill_input(wait);
    if (size == 0) co_return 0;
  }
  if (input_ && !input_->empty()) co_return input_->read(buffer);
  co_return co_await receive(buffer, wait, 0);
}

asio::awaitable<std::size_t> AsyncConnection::read_some(Buffer buffer) {
  return input_ ? take_some(buffer, Wait::input) : receive(buffer, Wait::input, 0);
}

asio::awaitable<std::size_t> AsyncConnection::next_request(Buffer buffer) {
  return input_ ? take_some(buffer, Wait::request) : receive(buffer, Wait::request, 0);
}

asio::awaitable<bool> AsyncConnection::next_request() {
  while (skips()) {
    const std::size_t size = co_await fill_input(Wait::request);
    if (size == 0) co_return false;
  }
  if (input_ && !input_->empty()) co_return true;
  char first = 0;
  co_return co_await receive({&first, 1}, Wait::request, Socket::message_peek) > 0;
}

asio::awaitable<std::optional<std::string>> AsyncConnection::take(Wanted wanted) {
  if (!input_) input_ = std::make_unique<InputBuffer>();
  for (;;) {
    Found found = input_->take(wanted, peer_ended_);
    if (found.problem != Found::Problem::none) throw_problem(found.problem, wanted, peer());
    if (found.piece || peer_ended_) co_return std::move(found.piece);
    co_await fill_input(Wait::input);
  }
}

asio::awaitable<std::optional<std::string>> AsyncConnection::read_line(std::size_t longest) {
  return take(a_line(longest));
}

asio::awaitable<std::optional<std::string>> AsyncConnection::read_until(std::string_view delimiter,
                                                                        std::size_t longest) {
  return take(all_before(delimiter, longest));
}

asio::awaitable<std::optional<std::string>> AsyncConnection::read_exact(std::size_t size) {
  return take(exactly(size));
}

asio::awaitable<std::optional<std::string>> AsyncConnection::read_frame(unsigned length_size,
                                                                        std::size_t longest) {
  return take(a_frame(length_size, longest));
}

asio::awaitable<bool> AsyncConnection::read_exact(Buffer buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t size = co_await read_some(buffer.subspan(filled));
    if (size == 0 && filled == 0) co_return false;
    if (size == 0) throw_problem(Found::Problem::cut_off, exactly(buffer.size()), peer());
    filled += size;
  }
  co_return true;
}

void AsyncConnection::skip() {
  if (input_) input_->skip();
}

bool AsyncConnection::ended() const { return peer_ended_ && (!input_ || input_->empty()); }

// ---- for the algorithms of Boost.Asio

bool AsyncConnection::skips() const { return input_ && input_->skips(); }

std::string_view AsyncConnection::unread() const {
  return input_ && !input_->empty() ? input_->unread() : std::string_view();
}

void AsyncConnection::consume(std::size_t size) { input_->consume(size); }

// What is to be dropped, and maybe what is behind it.
error_code AsyncConnection::read_now() {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by receive
  error_code error;
  const std::size_t size = socket_.receive(asio::buffer(buffer), 0, error);
  if (error == asio::error::would_block) return {};
  if (error) {
    peer_ended_ = true;
    return ended_ = error;
  }
  connection_.add_bytes(size, 0);
  input_->append({buffer.data(), size});
  return {};
}

// ---- writing

asio::awaitable<void> AsyncConnection::write_all(Bytes data) {
  while (!data.empty()) {
    error_code error;
    begin_wait(Wait::output);
    const std::size_t size = co_await socket_.async_write_some(
        asio::buffer(data.data(), data.size()), asio::redirect_error(asio::use_awaitable, error));
    error = end_wait(Wait::output, error, size);
    if (error) broke("write to", error);
    data.remove_prefix(size);
  }
}

asio::awaitable<void> AsyncConnection::write_all(std::span<const Bytes> pieces) {
  return write_pieces({pieces.begin(), pieces.end()});
}

asio::awaitable<void> AsyncConnection::write_pieces(std::vector<Bytes> pieces) {
  std::vector<asio::const_buffer> rest;
  for (const auto& piece : pieces)
    if (!piece.empty()) rest.emplace_back(piece.data(), piece.size());
  while (!rest.empty()) {
    error_code error;
    begin_wait(Wait::output);
    std::size_t size =
        co_await socket_.async_write_some(rest, asio::redirect_error(asio::use_awaitable, error));
    error = end_wait(Wait::output, error, size);
    if (error) broke("write to", error);
    auto unsent = rest.begin();
    for (; unsent != rest.end() && size >= unsent->size(); ++unsent) size -= unsent->size();
    rest.erase(rest.begin(), unsent);
    if (!rest.empty()) rest.front() += size;
  }
}

void AsyncConnection::shutdown_write() {
  if (closed_) broke("write to", asio::error::timed_out);
  connection_.shutdown_write();
}

}  // namespace brood
