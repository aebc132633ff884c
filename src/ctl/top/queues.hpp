// SPDX-License-Identifier: MIT
// How many connections wait in the queues of listeners, as the kernel tells anyone: sock_diag(7). The server
// is not asked.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace brood::ctl {

// The length of the queue by address, as "127.0.0.1:80" or "unix:/path": of all stream listeners of this
// network namespace. Empty if the kernel does not tell.
using Queues = std::map<std::string, unsigned>;
Queues read_queues();

// The sum over a service's listeners, which are separated by blanks. Empty: none of them is known.
std::optional<unsigned> waiting_at(const std::string& listeners, const Queues& queues);

}  // namespace brood::ctl
