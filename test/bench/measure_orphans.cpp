// SPDX-License-Identifier: MIT
// A parent that is killed, and a new start in its place.
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "brood/descriptor.hpp"
#include "load_client.hpp"
#include "measured_brood.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

// A client whose connection is in a child's hand.
class Held {
 public:
  explicit Held(const std::string& address) : socket_(LoadTarget(address).connect(0)) {
    if (!socket_ || !exchange()) throw std::runtime_error(address + " does not answer");
  }
  bool exchange() {
    char answer[64];
    return ::write(socket_.get(), "hello\n", 6) == 6 && ::read(socket_.get(), answer, sizeof answer) > 0;
  }

 private:
  Descriptor socket_;
};

bool is_gone(pid_t pid) { return state_of(pid) == '\0' || state_of(pid) == 'Z'; }

}  // namespace

// Children that were forked, that are programs, and programs that children run.
void measure_orphans(Report& report, Extent /*extent*/) {
  constexpr unsigned held = 4;
  MeasuredBrood brood({{"forked", {"built-in = echo"}},
                       {"slot", {"command = " + neighbour("echo"), "command-gets = slot"}},
                       {"connection", {"command = /bin/cat", "command-gets = connection"}}});
  std::vector<Held> clients;
  std::vector<pid_t> orphans;
  for (const std::string name : {"forked", "slot", "connection"}) {
    for (unsigned i = 0; i < held; ++i) clients.emplace_back(brood.address_of(name));
    const auto children = brood.children_of(name);
    orphans.insert(orphans.end(), children.begin(), children.end());
  }
  const auto gone = [&] { return std::ranges::count_if(orphans, is_gone); };
  brood.kill_parent();
  const auto all = static_cast<std::ptrdiff_t>(orphans.size());
  const auto idle = all - static_cast<std::ptrdiff_t>(clients.size());
  const bool idle_went = wait_until([&] { return gone() == idle; }, 5s);
  const auto served = std::ranges::count_if(clients, [](Held& client) { return client.exchange(); });
  report.add(pass_if(idle_went), "idle children gone after kill -9 of the parent",
             std::to_string(gone()) + " of " + std::to_string(idle), "all, and no other");
  report.add(pass_if(served == static_cast<std::ptrdiff_t>(clients.size())), "open connections that go on",
             std::to_string(served) + " of " + std::to_string(clients.size()), "all");
  clients.clear();
  const bool all_went = wait_until([&] { return gone() == all; }, 5s);
  report.add(pass_if(all_went), "children gone once their connection is done",
             std::to_string(gone()) + " of " + std::to_string(all), "all");
  end_orphans(orphans);
  brood.start();
  report.add(pass_if(ask_once(brood.address_of("forked")) > 0ns), "the next start, over the stale files",
             "ready, and answers", "ready, and answers");
}

}  // namespace brood::bench
