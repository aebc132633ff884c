// SPDX-License-Identifier: MIT
// A parent that is replaced, by a new program in its own process, or by a new start after it was killed.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>

#include "brood/descriptor.hpp"
#include "load_target.hpp"
#include "measured_brood.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

// The program that the server was started from, which is replaced while it runs.
class Replaceable {
 public:
  explicit Replaceable(const std::string& original) : original_(original) { good(); }
  std::string path() const { return directory_ / "server"; }
  void good() {
    replace([&](const std::string& to) { fs::copy_file(original_, to); });
  }
  void script(const std::string& lines) {
    replace([&](const std::string& to) {
      std::ofstream(to) << "#!/bin/sh\n" << lines << '\n';
      fs::permissions(to, fs::perms::owner_all);
    });
  }

 private:
  // As a package manager does: the old file is gone, not changed.
  template <typename Make>
  void replace(const Make& make) {
    const std::string fresh = directory_ / "fresh";
    fs::remove(fresh);
    make(fresh);
    fs::rename(fresh, path());
  }

  std::string original_;
  TemporaryDirectory directory_;
};

unsigned count(const std::string& log, const std::string& what) {
  unsigned found = 0;
  for (auto at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++found;
  return found;
}

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

void measure_upgrade(Report& report, Extent extent) {
  const int times = extent.of(10, 3);
  const auto interval = extent.of(2000ms, 1000ms);
  Replaceable program(neighbour("echo"));
  MeasuredServer server(program.path(), pool(16, 1, 16, 32));
  const pid_t pid = server.program().pid();
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = 32;
  BackgroundLoad load(plan);
  Samples took;
  int taken_over = 0, refused = 0;
  const auto attempt = [&](const std::string& outcome, int& counter) {
    const auto before = count(server.log(), outcome);
    const auto began = Clock::now();
    server.program().signal(SIGUSR2);
    const bool there = wait_until([&] { return count(server.log(), outcome) > before; }, 10s);
    if (there) ++counter;
    if (there && &counter == &taken_over) took.add(Clock::now() - began);
    if (Clock::now() - began < interval) pause_for(interval - (Clock::now() - began));
  };
  for (int i = 0; i < times; ++i) {
    program.good();
    attempt("upgraded:", taken_over);
  }
  program.script("exit 1");
  attempt("upgrade refused", refused);
  program.script("for word; do test \"$word\" = --test-config && exit 0; done\nexit 1");
  attempt("upgrade refused", refused);
  const LoadResult& result = load.finish();
  report.add(pass_if(result.failed() == 0),
             "connections failed of " + std::to_string(result.answered + result.failed()),
             result.describe_failures(), "none");
  report.add(pass_if(taken_over == times), "upgrades",
             std::to_string(taken_over) + " of " + std::to_string(times) + ", in " + took.describe(0, " ms"),
             "all");
  report.add(pass_if(refused == 2), "refused: one that fails its test, and one that dies at once",
             std::to_string(refused) + " of 2", "both");
  report.add(pass_if(server.program().running() && server.program().pid() == pid), "the parent's pid",
             server.program().running() ? "the same" : "gone", "the same");
  ServiceSnapshot end;
  const bool exact = wait_until(
      [&] {
        end = server.service();
        return end.in_hand == 0 && end.total.accepted == result.answered && end.total.aborted == 0;
      },
      5s);
  report.add(pass_if(exact), "accepted, on the scoreboard", std::to_string(end.total.accepted),
             "what the clients counted, " + std::to_string(result.answered));
}

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
  report.add(pass_if(served == static_cast<std::ptrdiff_t>(clients.size())), "connections in hand that go on",
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
