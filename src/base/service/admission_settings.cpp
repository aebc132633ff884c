// SPDX-License-Identifier: MIT
#include "base/service/admission_settings.hpp"

#include <array>
#include <utility>

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;
constexpr std::array<std::pair<std::string_view, milliseconds>, 3> periods = {
    {{"s", std::chrono::seconds(1)}, {"min", std::chrono::minutes(1)}, {"h", std::chrono::hours(1)}}};
constexpr unsigned highest_rate = 1'000'000;

}  // namespace

ClientRate parse_client_rate(const std::string& written) {
  if (written == "0") return {};
  const auto slash = std::min(written.find('/'), written.size());
  const auto number = parse_number<unsigned>(trim(std::string_view(written).substr(0, slash)));
  const auto unit = slash == written.size() ? "" : trim(std::string_view(written).substr(slash + 1));
  for (const auto& [name, period] : periods)
    if (number && *number > 0 && *number <= highest_rate && unit == name) return {*number, period};
  throw ConfigurationError(text("is not a number from 1 to ", highest_rate, " and /s, /min or /h, as 10/s"));
}

std::string write_client_rate(const ClientRate& rate) {
  if (rate.connections == 0) return "0";
  for (const auto& [name, period] : periods)
    if (rate.period == period) return text(rate.connections, '/', name);
  return text(rate.connections, "/s");
}

std::string parse_refusal(const std::string& written) {
  std::string result;
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\\') {
      result += written[i];
      continue;
    }
    const char escaped = ++i < written.size() ? written[i] : '\0';
    constexpr std::string_view escapes = "rnt\\", meanings = "\r\n\t\\";
    const auto which = escapes.find(escaped);
    if (escaped == '\0' || which == std::string_view::npos)
      throw ConfigurationError(R"(has a \ that is not part of \r, \n, \t or \\)");
    result += meanings[which];
  }
  if (result.size() > longest_refusal)
    throw ConfigurationError(text("has more than ", longest_refusal, " bytes"));
  return result;
}

}  // namespace brood
