// SPDX-License-Identifier: MIT
// Messages of the log that clients cause. Each child logs the first ones of a kind, and then how many more
// there were: a client must not be able to fill the log. In a child; any thread.
#pragma once

#include <cstddef>
#include <string>

#include "brood/log.hpp"

namespace brood {

enum class ClientMessage { handler_failed, time_limit, protocol_fault, access_log, refused, proxy_header };
inline constexpr std::size_t client_message_kinds = 6;

void log_for_client(ClientMessage kind, LogLevel level, const std::string& message);

// Logs how many were held back, if their period is over. Costs next to nothing if there are none.
void sum_up_client_messages();
// The same at the end of the child.
void end_client_messages();

}  // namespace brood
