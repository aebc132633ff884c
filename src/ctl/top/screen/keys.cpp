// SPDX-License-Identifier: MIT
#include "ctl/top/screen/keys.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace brood::ctl {
namespace {

// Behind CSI or SS3; xterm, the Linux console, screen.
constexpr std::array<std::pair<std::string_view, Key>, 14> sequences = {{{"A", up},
                                                                         {"B", down},
                                                                         {"C", right},
                                                                         {"D", left},
                                                                         {"H", home},
                                                                         {"F", end},
                                                                         {"1~", home},
                                                                         {"4~", end},
                                                                         {"7~", home},
                                                                         {"8~", end},
                                                                         {"5~", page_up},
                                                                         {"6~", page_down},
                                                                         {"M", enter},
                                                                         {"3~", backspace}}};

// The length of the sequence at the beginning, which starts with Escape; 0: its end has not come.
std::size_t length_of_sequence(std::string_view text) {
  if (text.size() < 2) return 0;
  if (text[1] != '[' && text[1] != 'O') return 1;
  if (text[1] == 'O') return text.size() < 3 ? 0 : 3;
  // ECMA-48, 5.4: parameters and intermediates, then a final byte from @ to ~.
  const auto final = std::find_if(text.begin() + 2, text.end(), [](char c) { return c >= '@' && c <= '~'; });
  return final == text.end() ? 0 : static_cast<std::size_t>(final - text.begin()) + 1;
}

}  // namespace

std::vector<int> take_keys(std::string& received, bool all) {
  std::vector<int> keys;
  std::string_view left = received;
  while (!left.empty()) {
    const auto first = static_cast<unsigned char>(left.front());
    std::size_t length = 1;
    if (first == 0x1b) {
      length = length_of_sequence(left);
      if (length == 0 && !all) break;
      if (length == 0) length = left.size();
      if (length == 1) keys.push_back(escape);
      const auto found = std::ranges::find(sequences, length > 2 ? left.substr(2, length - 2) : "",
                                           &std::pair<std::string_view, Key>::first);
      if (found != sequences.end()) keys.push_back(found->second);
    } else if (first == '\r' || first == '\n') {
      keys.push_back(enter);
    } else if (first == 0x7f || first == '\b') {
      keys.push_back(backspace);
    } else if (first >= ' ') {
      keys.push_back(first);
    }
    left.remove_prefix(length);
  }
  received = std::string(left);
  return keys;
}

}  // namespace brood::ctl
