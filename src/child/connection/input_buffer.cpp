// SPDX-License-Identifier: MIT
#include "child/connection/input_buffer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

// An empty buffer keeps no more memory than that.
constexpr std::size_t kept_capacity = 16'384;

std::size_t without_return(std::string_view line) {
  return line.ends_with('\r') ? line.size() - 1 : line.size();
}

}  // namespace

Wanted all_before(std::string_view delimiter, std::size_t longest) {
  if (delimiter.empty()) throw Error("read until an empty delimiter");
  return {.kind = Wanted::Kind::until, .longest = longest, .delimiter = delimiter};
}

void InputBuffer::append(std::string_view data) {
  data_.erase(0, begin_);
  begin_ = 0;
  data_ += data;
  if (skips_) drop();
}

void InputBuffer::remember(std::string_view skip_to, std::uint64_t skip_bytes) {
  skip_to_ = skip_to;
  skip_bytes_ = skip_bytes;
}

void InputBuffer::consume(std::size_t size) {
  remember({}, 0);
  begin_ += size;
  if (begin_ < data_.size()) return;
  begin_ = 0;
  data_.clear();
  if (data_.capacity() > kept_capacity) data_.shrink_to_fit();
}

std::size_t InputBuffer::read(std::span<char> buffer) {
  const std::size_t size = unread().copy(buffer.data(), buffer.size());
  consume(size);
  return size;
}

Found InputBuffer::take(Wanted& wanted, bool ended) {
  if (skips()) return {};
  const Extent extent = look_for(wanted, ended);
  if (extent.too_long) return {.piece = {}, .problem = Found::Problem::too_long};
  const bool whole = extent.whole > 0 || (wanted.kind == Wanted::Kind::exact && wanted.longest == 0);
  if (!whole)
    return {.piece = {}, .problem = ended && !empty() ? Found::Problem::cut_off : Found::Problem::none};
  Found found{.piece = std::string(unread().substr(extent.begin, extent.size))};
  consume(extent.whole);
  return found;
}

InputBuffer::Extent InputBuffer::look_for(Wanted& wanted, bool ended) {
  switch (wanted.kind) {
    case Wanted::Kind::line:
    case Wanted::Kind::until:
      return look_for_delimiter(wanted, ended);
    case Wanted::Kind::exact:
      break;
    case Wanted::Kind::frame:
      return look_for_frame(wanted);
  }
  const std::size_t size = wanted.longest;
  return {.size = size, .whole = unread().size() < size ? 0 : size};
}

InputBuffer::Extent InputBuffer::look_for_delimiter(Wanted& wanted, bool ended) {
  const auto input = unread();
  const std::size_t length = wanted.delimiter.size();
  const bool line = wanted.kind == Wanted::Kind::line;
  const auto at = input.find(wanted.delimiter, wanted.searched);
  const bool found = at != std::string_view::npos;
  wanted.searched = input.size() < length ? 0 : input.size() - length + 1;
  Extent extent{.size = line ? without_return(input.substr(0, at)) : std::min(at, input.size())};
  if (found || (line && ended)) extent.whole = found ? at + length : input.size();
  // The end of what is there may be the begin of a delimiter.
  const std::size_t least = found || line ? extent.size : wanted.searched;
  extent.too_long = least > wanted.longest;
  if (extent.too_long) remember(wanted.delimiter, 0);
  return extent;
}

InputBuffer::Extent InputBuffer::look_for_frame(const Wanted& wanted) {
  const auto input = unread();
  if (input.size() < wanted.prefix) return {};
  std::uint64_t size = 0;
  for (const char byte : input.substr(0, wanted.prefix)) size = size << 8U | static_cast<unsigned char>(byte);
  const std::uint64_t whole = wanted.prefix + size;
  if (size > wanted.longest) remember({}, whole);
  return {.begin = wanted.prefix,
          .size = size,
          .whole = input.size() < whole ? 0 : whole,
          .too_long = size > wanted.longest};
}

void InputBuffer::skip() {
  skips_ = skips_ || !skip_to_.empty() || skip_bytes_ > 0;
  if (skips_) drop();
}

// What is dropped of a long piece is as much as was read at once. Of the rest, as much is kept as may be the
// begin of the delimiter.
void InputBuffer::drop() {
  const auto input = unread();
  const auto at = skip_to_.empty() ? std::string_view::npos : input.find(skip_to_);
  std::size_t dropped = 0;
  if (skip_to_.empty()) {
    dropped = std::min<std::uint64_t>(skip_bytes_, input.size());
    skip_bytes_ -= dropped;
    skips_ = skip_bytes_ > 0;
  } else if (at == std::string_view::npos) {
    dropped = input.size() - std::min(input.size(), skip_to_.size() - 1);
  } else {
    dropped = at + skip_to_.size();
    skips_ = false;
  }
  if (!skips_) return consume(dropped);
  data_.erase(0, begin_ + dropped);
  begin_ = 0;
}

void throw_problem(Found::Problem problem, const Wanted& wanted, const std::string& peer) {
  constexpr std::array<std::string_view, 4> names = {"line", "piece", "piece", "frame"};
  const auto name = names.at(static_cast<std::size_t>(wanted.kind));
  if (problem == Found::Problem::too_long)
    throw TooLongError(text("a ", name, " from ", peer, " is longer than ", wanted.longest, " bytes"));
  throw ConnectionError(text("read from ", peer, ", which has ended within a ", name), ENODATA);
}

}  // namespace brood
