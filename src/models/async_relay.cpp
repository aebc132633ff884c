// SPDX-License-Identifier: MIT
#include "models/async_relay.hpp"
// After it:
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <utility>

#include "brood/error.hpp"
#include "models/async_loop.hpp"

namespace brood {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Into the pipe, and out of it: some 64 KiB in each direction.
constexpr unsigned steps_a_turn = 2;

}  // namespace

AsyncRelay::AsyncRelay(const AsyncConnection::executor_type& executor, int connection, int other,
                       std::string head)
    : ends_{connection, other},
      other_(other),
      relay_(connection, other, std::move(head), ""),
      waits_(executor, ready_.descriptor()) {}

AsyncRelay::~AsyncRelay() { waits_.release(); }

bool AsyncRelay::step() {
  bool more = true;
  for (unsigned i = 0; i < steps_a_turn && more && !done(); ++i) more = relay_.step();
  return more;
}

AsyncRelay::Moved AsyncRelay::take_moved() {
  const std::size_t read = relay_.there().was_read(), written = relay_.back().was_written();
  return {.read = read - std::exchange(read_, read),
          .written = written - std::exchange(written_, written),
          .any = std::exchange(moved_, relay_.moved()) != relay_.moved()};
}

// What waits for no event is watched for its end, as by poll().
void AsyncRelay::watch(std::size_t end, const pollfd& wanted) {
  std::optional<std::uint32_t>& watched = watched_.at(end);
  const auto events = static_cast<std::uint32_t>(wanted.events);
  if (wanted.fd < 0) {
    if (std::exchange(watched, std::nullopt)) ready_.forget(ends_.at(end));
    return;
  }
  if (watched == events) return;
  try {
    watched ? ready_.change(wanted.fd, events, end) : ready_.add(wanted.fd, events, end);
    watched = events;
  } catch (const SystemError& error) {
    if (error.error_number() != EPERM) throw;  // EPERM: a file, for which nothing waits
  }
}

asio::awaitable<error_code> AsyncRelay::wait() {
  const auto wanted = relay_.waits_for();
  for (std::size_t end = 0; end < wanted.size(); ++end) watch(end, wanted.at(end));
  error_code error;
  co_await waits_.async_wait(asio::posix::stream_descriptor::wait_read,
                             asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

void AsyncRelay::look() {
  auto ends = relay_.waits_for();
  if (ends[0].events != 0 && ends[1].events != 0) return;  // step() finds it out
  if (::poll(ends.data(), ends.size(), 0) > 0) relay_.see(ends);
}

// ---- its connection

asio::awaitable<void> AsyncConnection::relay(const Descriptor& other) {
  while (skips() && !peer_ended_) co_await fill_input(Wait::input);
  if (closed_) broke("relay for", asio::error::timed_out);
  AsyncRelay relay(socket_.get_executor(), connection_.descriptor(), other.get(), std::string(unread()));
  input_.reset();
  relay_ = &relay;
  std::exception_ptr failure;
  begin_wait(Wait::input);
  try {
    co_await run_relay(relay);
    peer_ended_ = true;
  } catch (...) {
    failure = std::current_exception();
  }
  relay_ = nullptr;
  count_relayed(relay);
  [[maybe_unused]] const error_code none = end_wait(Wait::input, {}, 0);
  if (failure) std::rethrow_exception(failure);
}

// It counts as waiting all the time: time without movement is what matters, not the turns of others.
asio::awaitable<void> AsyncConnection::run_relay(AsyncRelay& relay) {
  for (;;) {
    const bool more = relay.step();
    if (count_relayed(relay)) loop_.changed(*this);
    if (relay.done()) co_return;
    error_code error;
    if (more)
      co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    else
      error = co_await relay.wait();
    if (closed_ || cut_short_) error = asio::error::timed_out;
    if (error) broke("relay for", error);
    if (!more) relay.look();
  }
}

bool AsyncConnection::count_relayed(AsyncRelay& relay) {
  const AsyncRelay::Moved moved = relay.take_moved();
  connection_.add_bytes(moved.read, moved.written);
  return moved.any;
}

}  // namespace brood
