// SPDX-License-Identifier: MIT
// Values of settings: which hosts are served, and which way.
#pragma once

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <brood/setting_type.hpp>
#include <fstream>

#include "message.hpp"

namespace proxy {

// Another proxy, "HOST:PORT", or "none". ",for=HOST" or ",for=.DOMAIN" may follow.
struct Upstream {
  std::string text, hosts;  // hosts: "" is all
  Site site;                // port 0: none
  explicit Upstream(std::string word) : text(std::move(word)) {
    const auto comma = text.find(",for=");
    if (comma != std::string::npos) hosts = text.substr(comma + 5);
    if (const auto proxy = text.substr(0, comma); proxy != "none") site = parse_site(proxy, 0);
  }
  bool is_for(const std::string& host) const {
    return hosts.empty() || host == hosts || (hosts.front() == '.' && host.ends_with(hosts));
  }
};

template <typename Value>
brood::SettingType<Value> type_of(const std::string& kind) {
  return {.kind = kind,
          .read = [](const std::string& word) { return Value(word); },
          .write = [](const Value& value) { return value.text; }};
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw brood::ConfigurationError(path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

// One extended regular expression on a line; "#" begins a comment.
inline std::vector<std::regex> read_filter(const std::string& path) {
  std::vector<std::regex> filter;
  std::istringstream lines(path.empty() ? "" : read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    try {
      filter.emplace_back(line, std::regex::extended | std::regex::icase | std::regex::nosubs);
    } catch (const std::regex_error& error) {
      throw brood::ConfigurationError(line.append(" in filter " + path + ": ").append(error.what()));
    }
  }
  return filter;
}

inline std::string base64(const std::string& text) {
  using Digits = boost::archive::iterators::base64_from_binary<
      boost::archive::iterators::transform_width<std::string::const_iterator, 6, 8>>;
  return std::string(Digits(text.begin()), Digits(text.end())).append((3 - text.size() % 3) % 3, '=');
}

}  // namespace proxy
