// SPDX-License-Identifier: MIT
// Both directions between a connection and another descriptor.
#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/event_descriptor.hpp"
#include "brood/connection.hpp"
#include "child/connection/input_buffer.hpp"
#include "child/connection/reading.hpp"
#include "child/connection/relay.hpp"

namespace brood {
namespace {

template <typename Action>
class AtEnd {
 public:
  explicit AtEnd(Action action) : action_(std::move(action)) {}
  ~AtEnd() { action_(); }
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;

 private:
  Action action_;
};

}  // namespace

// What was read of it and not yet taken.
std::string Connection::release_input() {
  while (input_ && input_->skips() && !all_read_) fill_input(Wait::yes);
  std::string unread(input_ && !input_->empty() ? input_->unread() : std::string_view());
  input_.reset();
  return unread;
}

void Connection::relay(Connection& other) {
  while (!other.flush()) other.wait_for(POLLOUT);
  Relay relay(socket_.get(), other.descriptor(), release_input(), other.release_input());
  const AtEnd count([&] {
    count_relayed(relay);
    other.add_bytes(relay.back().was_read(), relay.there().was_written());
  });
  run_relay(relay, other.descriptor());
}

void Connection::relay(const Descriptor& other) {
  Relay relay(socket_.get(), other.get(), release_input(), "");
  const AtEnd count([&] { count_relayed(relay); });
  run_relay(relay, other.get());
}

void Connection::count_relayed(const Relay& relay) {
  add_bytes(relay.there().was_read(), relay.back().was_written());
}

void Connection::run_relay(Relay& relay, int other) {
  while (!flush()) wait_for(POLLOUT);
  const NonBlockingFor this_socket(socket_.get()), other_descriptor(other);
  std::size_t moved = 0;
  Time active = Clock::now();
  for (;;) {
    check_deadline("relay for");
    const bool more = relay.step();
    if (relay.done()) break;
    if (relay.moved() > std::exchange(moved, relay.moved())) active = Clock::now();
    if (more) continue;
    const Time until = limits_.read.count() == 0 ? never : active + limits_.read;
    const Reading reading(*host_, socket_.get());
    const Time now = Clock::now();
    const auto patience = blocks_ ? host_->patience(now - active, 0) : ConnectionHost::no_limit;
    if (patience == std::chrono::nanoseconds::zero()) timed_out("relay for", "overload-read-timeout: ");
    const Time look_again = patience == ConnectionHost::no_limit ? never : now + patience;
    const Time first_byte = relay.there().was_read() == 0 ? first_byte_deadline() : never;
    auto ends = relay.waits_for();
    if (poll_until(ends, std::min({until, limits_.deadline, first_byte, look_again})) > 0)
      relay.see(ends);
    else if (first_byte != never && is_over(limits_.first_byte))
      timed_out("relay for", "first-byte-timeout: ");
    else if (Clock::now() >= until)
      timed_out("relay for", "");
  }
  all_read_ = true;
}

}  // namespace brood
