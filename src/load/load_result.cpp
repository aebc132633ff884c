// SPDX-License-Identifier: MIT
#include "load/load_result.hpp"

#include <cerrno>
#include <numeric>
#include <system_error>

namespace brood::load {

Failure kind_of(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
    case ENOENT:
      return Failure::refused;  // a unix socket's name is gone
    case ECONNRESET:
    case EPIPE:
      return Failure::reset;
    case ETIMEDOUT:
      return Failure::timed_out;
    default:
      return Failure::other;
  }
}

std::uint64_t LoadResult::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

double LoadResult::rate() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(in_time) / seconds : 0;
}

std::string LoadResult::describe_failures() const {
  std::string text;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(failures[i]) + " " + std::string(failure_names[i]);
  }
  if (other_error != 0) text += " (" + std::generic_category().message(other_error) + ")";
  return text.empty() ? "none" : text;
}

}  // namespace brood::load
