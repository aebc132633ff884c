// SPDX-License-Identifier: MIT
#include "base/service/proxy_settings.hpp"

#include "base/text.hpp"
#include "brood/error.hpp"

namespace brood {

ProxySenders::ProxySenders(const std::vector<std::string>& written) {
  using Kind = AccessRule::Kind;
  std::vector<AccessRule> rules;
  for (const auto& line : written)
    for (const auto word : split(line, ' ')) {
      if (word.empty()) continue;
      try {
        rules.push_back(parse_access_rule(word));
      } catch (const ConfigurationError& error) {
        throw ConfigurationError(text('\'', word, "' ", std::string_view(error.what())));
      }
      const Kind kind = rules.back().kind;
      if (kind != Kind::network && kind != Kind::unix_socket)
        throw ConfigurationError(
            text('\'', word, "' is not a network as 10.0.0.0/8 or fd00::/8, an address or 'unix'"));
      unix_ = unix_ || kind == Kind::unix_socket;
    }
  networks_ = AccessRules(rules);
}

bool ProxySenders::contain(const Address& sender) const {
  if (sender.family() == Address::Family::unix_socket) return unix_;
  const auto bytes = bytes_of(sender);
  return bytes && !networks_.empty() && networks_.find(*bytes).admits;
}

}  // namespace brood
