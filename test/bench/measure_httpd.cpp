// SPDX-License-Identifier: MIT
// The HTTP server among the examples: against nginx, and under stress while its children are replaced.
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>

#include "measured_server.hpp"
#include "measures.hpp"
#include "nginx_server.hpp"
#include "proc.hpp"
#include "turns.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* program = "httpd";

// A directory with one file of 1 KiB.
class Documents {
 public:
  Documents() { std::ofstream(directory_ / name) << std::string(1024, 'x'); }
  std::string path() const { return directory_.path(); }
  std::string setting() const { return "--document-root=" + path(); }
  static LoadPlan plan(unsigned connections) {
    LoadPlan plan;
    plan.http_path = std::string("/") + name;
    plan.concurrency = connections;
    plan.keep_alive = true;
    return plan;
  }

 private:
  static constexpr const char* name = "file.txt";
  TemporaryDirectory directory_;
};

void stress(Report& report, const std::string& name, unsigned connections, int times, const Words& settings) {
  constexpr auto interval = 1s;
  const Documents documents;
  // Room for the replacements: each is ready before its predecessor leaves.
  MeasuredServer server(program, pool(2, 1, 2, 8) + settings + Words{documents.setting()});
  LoadPlan plan = Documents::plan(connections);
  plan.address = server.address();
  BackgroundLoad load(plan);
  std::uint32_t generation = server.service().generation;
  int replaced = 0;
  const auto began = Clock::now();
  for (int i = 1; i <= times; ++i) {
    const auto next = began + i * interval;
    server.program().signal(SIGHUP);
    ++generation;
    if (wait_until([&] { return all_of_generation(server.service(), generation); }, next - Clock::now(), 5ms))
      ++replaced;
    if (next > Clock::now()) pause_for(next - Clock::now());
  }
  const LoadResult& result = load.finish();
  const auto add = [&](bool good, const std::string& what, const std::string& measured, const char* must) {
    report.add(pass_if(good), name + ", " + what, measured, must);
  };
  add(result.failed() == 0 && result.answered > 0,
      "exchanges failed of " + std::to_string(result.answered + result.failed()), result.describe_failures(),
      "none");
  add(result.statuses[2] == result.answered, "answered with another status than 2xx",
      std::to_string(result.answered - result.statuses[2]), "0");
  add(wait_until([&] { return all_of_generation(server.service(), generation); }, 10s), "children at the end",
      std::to_string(server.service().children()), "of the last generation, all");
  report.add(Verdict::information, name + ", generations fully replaced before the next",
             std::to_string(replaced) + " of " + std::to_string(times));
  report.add(Verdict::information, name + ", closes, announced by the server",
             std::to_string(result.announced_closes));
  report.add(Verdict::information, name + ", requests a second, and how long they take",
             decimal(result.rate(), 0) + ", p50 " + std::to_string(result.whole.at(0.5) / 1ms) + ", p99 " +
                 std::to_string(result.whole.at(0.99) / 1ms) + ", max " +
                 std::to_string(result.whole.longest() / 1ms) + " ms");
}

}  // namespace

void measure_httpd(Report& report, Extent extent) {
  constexpr unsigned children = 2;
  if (!is_built(program)) return report.skip(program, "not built");
  if (!NginxServer::is_installed()) return report.skip("nginx", "not installed");
  const Documents documents;
  const Pinned one_cpu(0);
  const Words settings =
      fixed_pool(children) + Words{"--max-connections-per-child=2000", documents.setting()};
  const MeasuredServer server(program, settings);
  const MeasuredServer threads(program, settings + Words{"--threads-per-child=4"});
  const NginxServer nginx(documents.path(), children, "sendfile on; open_file_cache off;");
  // Such a file is served faster there in one write, and still faster from a file that stays open.
  const NginxServer one_write(documents.path(), children, "sendfile off; open_file_cache off;");
  const NginxServer stays_open(documents.path(), children,
                               "sendfile off; open_file_cache max=100; open_file_cache_valid 60s;");
  for (const unsigned connections : std::array{64U, 1000U}) {
    const LoadPlan plan = Documents::plan(connections);
    const auto name = [&](const std::string& what) {
      return std::to_string(connections) + " connections, one CPU, " + what;
    };
    const auto inform = [&](const std::string& what, const std::string& measured) {
      report.add(Verdict::information, name(what), measured);
    };
    const auto ratio = [&](const MeasuredServer& ours, const NginxServer& theirs) {
      return compare(ours.contestant(), theirs.contestant(), plan, extent.of(7, 3)).cpu_second.describe(3);
    };
    const Ratios ratios = compare(server.contestant(), nginx.contestant(), plan, extent.of(15, 7));
    report.add(pass_if(ratios.ratio() >= 1 && ratios.failed == 0),
               name("ratio of requests a second of that CPU"),
               ratios.cpu_second.describe(3) + ", " + std::to_string(ratios.failed) + " failed",
               "at least 1.00 in the median, 0 failed");
    inform("ratio of the processes' CPU time a request", ratios.cpu.describe(3));
    inform("requests a second",
           decimal(ratios.first_rate.median(), 0) + ", nginx " + decimal(ratios.second_rate.median(), 0));
    inform("ratio with 4 threads in each child", ratio(threads, nginx));
    inform("ratio to nginx without sendfile", ratio(server, one_write));
    inform("ratio to nginx without sendfile, with open_file_cache", ratio(server, stays_open));
  }
}

void measure_stress(Report& report, Extent extent) {
  if (!is_built(program)) return report.skip(program, "not built");
  constexpr unsigned connections = 1000;
  const Words settings = {"--max-connections-per-child=2000"};
  const int times = extent.of(30, 5);
  stress(report, "1,000 connections", connections, times, settings);
  stress(report, "the same, 4 threads in each child", connections, times,
         settings + Words{"--threads-per-child=4"});
}

}  // namespace brood::bench
