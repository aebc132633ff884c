// SPDX-License-Identifier: MIT
#include "base/service/socket_options.hpp"

#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"

namespace brood {

Keepalive parse_keepalive(const std::string& written) {
  constexpr std::chrono::seconds longest(32'767);  // tcp(7)
  constexpr unsigned most_probes = 127;
  const auto parts = split(written, '/');
  Keepalive result;
  try {
    if (parts.size() > 3) throw ConfigurationError("there is more");
    result.idle = parse_duration(trim(parts[0]), std::chrono::milliseconds(0), longest);
    if (parts.size() > 1)
      result.interval = parse_duration(trim(parts[1]), std::chrono::milliseconds(1), longest);
    if (parts.size() > 2) {
      const auto count = parse_number<unsigned>(trim(parts[2]));
      if (!count || *count == 0 || *count > most_probes)
        throw ConfigurationError(text("COUNT is not a number from 1 to ", most_probes));
      result.count = *count;
    }
  } catch (const Error& error) {
    throw ConfigurationError(
        text("is not IDLE/INTERVAL/COUNT, as 60s/10s/5: ", std::string_view(error.what())));
  }
  return result;
}

std::string write_keepalive(const Keepalive& keepalive) {
  std::string written = write_duration(keepalive.idle);
  if (keepalive.interval.count() != 0) written += '/' + write_duration(keepalive.interval);
  if (keepalive.count != 0) written += '/' + text(keepalive.count);
  return written;
}

}  // namespace brood
