// SPDX-License-Identifier: MIT
#include "base/log/json_formatter.hpp"

#include <spdlog/details/log_msg.h>
#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>

namespace brood {
namespace {

// RFC 3339, in UTC.
std::string time_text(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(whole)),
                     rest.count());
}

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

}  // namespace

void JsonFormatter::format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) {
  using Json = nlohmann::ordered_json;
  Json line = {{"time", time_text(message.time)},
               {"level", view(spdlog::level::to_string_view(message.level))},
               {"server", view(message.logger_name)}};
  if (!service_.empty()) line["service"] = service_;
  line["pid"] = ::getpid();
  line["message"] = view(message.payload);
  const std::string written = line.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
  to.append(written.data(), written.data() + written.size());
}

}  // namespace brood
