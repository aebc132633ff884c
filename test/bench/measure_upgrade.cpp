// SPDX-License-Identifier: MIT
// SIGUSR2 under load: the program is replaced in its process, by good ones, and by such that fail their test
// or die at once after it, and no connection notices.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "measured_server.hpp"
#include "measures.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr unsigned children = 16;
constexpr unsigned clients = 32;
constexpr auto interval = 1s;

// Where the program stands that is replaced.
class Place {
 public:
  Place() { install(); }
  std::string program() const { return directory_ / "server"; }
  void install() const {
    fs::copy_file(neighbour("echo"), directory_ / "new");
    take();
  }
  void install_script(const std::string& lines) const {
    std::ofstream(directory_ / "new") << "#!/bin/sh\n" << lines << '\n';
    take();
  }

 private:
  void take() const {
    fs::permissions(directory_ / "new", fs::perms(0755));
    fs::rename(directory_ / "new", directory_ / "server");
  }
  TemporaryDirectory directory_;
};

unsigned count(const std::string& log, const std::string& text) {
  unsigned number = 0;
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++number;
  return number;
}

struct Upgrades {
  Samples took;  // those that were done
  unsigned wrong = 0;
};

// Good and bad ones in turn.
Upgrades upgrade_again_and_again(MeasuredServer& server, const Place& place, int times) {
  Upgrades upgrades;
  for (int i = 0; i < 2 * times; ++i) {
    const bool good = i % 2 == 0;
    if (good) place.install();
    if (!good)
      place.install_script(i % 4 == 1 ? "exit 78" : "case \"$*\" in *--test-config) exit 0;; esac; exit 1");
    const std::string expected = good ? "info: upgraded: " : "error: upgrade refused: ";
    const unsigned before = count(server.log(), expected);
    const auto sent = Clock::now();
    server.program().signal(SIGUSR2);
    const bool came = wait_until([&] { return count(server.log(), expected) > before; }, interval);
    if (came && good) upgrades.took.add(Clock::now() - sent);
    if (!came) ++upgrades.wrong;
    const auto next = sent + interval;
    if (next > Clock::now()) pause_for(next - Clock::now());
  }
  return upgrades;
}

}  // namespace

void measure_upgrade(Report& report, Extent extent) {
  const int times = extent.of(10, 3);
  const Place place;
  MeasuredServer server(place.program(), pool(children, 1, children, 2 * children));
  LoadPlan plan;
  plan.address = server.address();
  plan.concurrency = clients;
  BackgroundLoad load(plan);
  const Upgrades upgrades = upgrade_again_and_again(server, place, times);
  const LoadResult& result = load.finish();

  report.add(pass_if(result.failed() == 0),
             "connections failed of " + std::to_string(result.answered + result.failed()),
             result.describe_failures(), "none");
  report.add(pass_if(upgrades.wrong == 0 && server.program().running()),
             "upgrades done, and as many refused, in one process",
             std::to_string(upgrades.took.number()) + " of " + std::to_string(times) + ", " +
                 std::to_string(upgrades.wrong) + " with another outcome, in " +
                 upgrades.took.describe(0, " ms"),
             "all");
  const auto [end, exact] = counted_after(result, server);
  report.add(pass_if(exact), "accepted at the end, by children of all programs",
             std::to_string(end.total.accepted),
             "what the clients counted, " + std::to_string(result.answered));
}

}  // namespace brood::bench
