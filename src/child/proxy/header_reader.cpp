// SPDX-License-Identifier: MIT
#include "child/proxy/header_reader.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "child/proxy/proxy_parser.hpp"

namespace brood {

// What belongs to the header is taken from the socket, also if more is to come: otherwise it would stay
// readable, and nobody could wait for the rest.
HeaderReader::State HeaderReader::read(int socket) {
  std::array<char, 1024> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  for (;;) {
    const ssize_t seen = ::recv(socket, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
    if (seen < 0 && errno == EINTR) continue;
    if (seen < 0 && errno == EAGAIN) return State::more;
    if (seen <= 0) return begin_.empty() ? State::absent : State::cut_off;
    const std::size_t before = begin_.size();
    begin_.append(buffer.data(), static_cast<std::size_t>(seen));
    ParsedProxyHeader parsed = parse_proxy_header(begin_);
    if (parsed.state == ParsedProxyHeader::State::wrong) {
      mistake_ = parsed.mistake;
      return State::wrong;
    }
    const bool whole = parsed.state == ParsedProxyHeader::State::whole;
    // It was seen, and so it is there.
    [[maybe_unused]] const auto taken =
        ::recv(socket, buffer.data(), (whole ? parsed.size : begin_.size()) - before, MSG_DONTWAIT);
    if (!whole) continue;
    header_ = std::move(parsed.header);
    return State::whole;
  }
}

}  // namespace brood
