// SPDX-License-Identifier: MIT
// Reading from a connection. What waits and what does not share all but the call that reads the socket.
#include <algorithm>
#include <array>
#include <cerrno>

#include "base/event_descriptor.hpp"
#include "brood/connection.hpp"
#include "brood/error.hpp"
#include "child/connection/input_buffer.hpp"
#include "child/connection/reading.hpp"

namespace brood {

// Empty: no input now, or, if the call blocks, none within the read timeout.
[[gnu::hot]] std::optional<std::size_t> Connection::receive(std::span<char> buffer, int flags) {
  check_deadline("read from");
  ssize_t size = 0;
  do size = ::recv(socket_.get(), buffer.data(), buffer.size(), flags);
  while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno == EAGAIN) return {};
    broke("read from", errno);
  }
  if (size == 0 && !buffer.empty()) all_read_ = true;
  bytes_.read += static_cast<std::size_t>(size);
  return static_cast<std::size_t>(size);
}

// Empty: no input now.
[[gnu::hot]] std::optional<std::size_t> Connection::read_socket(std::span<char> buffer, Wait wait) {
  if (wait == Wait::no) {
    std::optional<std::size_t> size;
    if (input_limit_ > 0 && (!blocks_ || readable(socket_.get()))) size = receive(buffer, MSG_DONTWAIT);
    input_limit_ -= std::min(input_limit_, size.value_or(0));
    found_none_ = !size;
    return size;
  }
  if (blocks_) return wait_and_receive(buffer);
  for (;;) {
    if (const auto size = receive(buffer, 0)) return size;
    wait_for(POLLIN);
  }
}

// The kernel waits in recv() itself, or, if the wait has more than one limit, poll() does.
[[gnu::hot]] std::optional<std::size_t> Connection::wait_and_receive(std::span<char> buffer) {
  for (;;) {
    const Reading reading(*host_, socket_.get());
    const bool limited = first_byte_deadline() != no_deadline || host_->overloaded();
    const int flags = limited ? MSG_DONTWAIT : wait_flag();
    if (const auto size = receive(buffer, flags)) return size;
    if (flags != 0)
      wait_for(POLLIN);
    else if (!host_->read_was_cut())
      timed_out("read from", "");
  }
}

InputBuffer& Connection::input() {
  if (!input_) input_ = std::make_unique<InputBuffer>();
  return *input_;
}

// False: there is no input now.
bool Connection::fill_input(Wait wait) {
  std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
  const auto size = read_socket(buffer, wait);
  if (size) input().append({buffer.data(), *size});
  return size.has_value();
}

bool Connection::ended() const { return all_read_ && (!input_ || input_->empty()); }

std::uint64_t Connection::bytes_taken() const { return bytes_.read - (input_ ? input_->unread().size() : 0); }

bool Connection::has_unseen_input() const { return input_ && !input_->empty() && !found_none_; }

void Connection::skip() {
  if (input_) input_->skip();
}

[[gnu::hot]] std::optional<std::size_t> Connection::take_some(std::span<char> buffer, Wait wait) {
  while (input_ && input_->skips() && !all_read_)
    if (!fill_input(wait)) return {};
  if (input_ && !input_->empty()) return input_->read(buffer);
  return read_socket(buffer, wait);
}

[[gnu::hot]] std::size_t Connection::read_some(Buffer buffer) { return *take_some(buffer, Wait::yes); }

std::optional<std::size_t> Connection::try_read(Buffer buffer) {
  if (output_) return {};
  return take_some(buffer, Wait::no);
}

bool Connection::read_exact(Buffer buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t size = read_some(buffer.subspan(filled));
    if (size == 0 && filled == 0) return false;
    if (size == 0) throw_problem(Found::Problem::cut_off, exactly(buffer.size()), peer());
    filled += size;
  }
  return true;
}

bool Connection::try_exact(Buffer buffer) {
  const auto piece = try_exact(buffer.size());
  if (piece) piece->copy(buffer.data(), buffer.size());
  return piece.has_value();
}

// Empty: there is no whole piece now, or there are no more.
std::optional<std::string> Connection::take(Wanted wanted, Wait wait) {
  if (wait == Wait::no && output_) return {};
  for (;;) {
    Found found = input().take(wanted, all_read_);
    if (found.problem != Found::Problem::none) throw_problem(found.problem, wanted, peer());
    if (found.piece || all_read_) return std::move(found.piece);
    if (!fill_input(wait)) return {};
  }
}

std::optional<std::string> Connection::read_line(std::size_t longest) {
  return take(a_line(longest), Wait::yes);
}

std::optional<std::string> Connection::try_line(std::size_t longest) {
  return take(a_line(longest), Wait::no);
}

std::optional<std::string> Connection::read_until(std::string_view delimiter, std::size_t longest) {
  return take(all_before(delimiter, longest), Wait::yes);
}

std::optional<std::string> Connection::try_until(std::string_view delimiter, std::size_t longest) {
  return take(all_before(delimiter, longest), Wait::no);
}

std::optional<std::string> Connection::read_exact(std::size_t size) { return take(exactly(size), Wait::yes); }

std::optional<std::string> Connection::try_exact(std::size_t size) { return take(exactly(size), Wait::no); }

std::optional<std::string> Connection::read_frame(unsigned length_size, std::size_t longest) {
  return take(a_frame(length_size, longest), Wait::yes);
}

std::optional<std::string> Connection::try_frame(unsigned length_size, std::size_t longest) {
  return take(a_frame(length_size, longest), Wait::no);
}

}  // namespace brood
