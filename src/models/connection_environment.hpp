// SPDX-License-Identifier: MIT
// What a program that serves one connection reads of it in its environment: as tcpserver and its siblings
// tell it (ucspi-tcp, ucspi-tcp6, ucspi-unix), beside what the child itself has there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brood {

// "NAME=VALUE" each.
std::vector<std::string> connection_environment(int socket, std::string_view service,
                                                std::string_view listener);

}  // namespace brood
