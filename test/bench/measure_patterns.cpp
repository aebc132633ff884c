// SPDX-License-Identifier: MIT
// The patterns of brood_patterns(7) against the plain Server, which has a process for each connection.
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "measured_server.hpp"
#include "measures.hpp"
#include "turns.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

struct Row {
  std::string name;
  std::string program;
  Words settings = {};
};

struct Column {
  std::string name;
  unsigned connections;
  std::string request;
};

using Cells = std::vector<std::string>;

void print(const std::string& first, const Cells& cells) {
  std::printf("  %-40s", first.c_str());
  for (const auto& cell : cells) std::printf("  %-16s", cell.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

// A thousand processes are not there at once, and the CPU time of each counts.
void await_children(const MeasuredServer& server) {
  const auto wanted = server.service().start_servers;
  if (!wait_until([&] { return server.children().size() >= wanted; }, 60s, 50ms))
    throw std::runtime_error("the children of a server are not there after a minute");
}

// One row after the other, all columns of it; for each column a Server to compare with.
class Table {
 public:
  Table(Report& report, Extent extent, std::vector<Column> columns, std::string base_program,
        std::function<Words(const Column&)> base_settings)
      : report_(report), rounds_(extent.of(5, 2)), columns_(std::move(columns)) {
    for (const auto& column : columns_) {
      bases_.push_back(std::make_unique<MeasuredServer>(base_program, base_settings(column)));
      await_children(*bases_.back());
    }
    Cells heads;
    for (const auto& column : columns_) heads.push_back(column.name);
    print("ratio of rates / of CPU time an exchange", heads);
  }

  void add(const Row& row) {
    if (!is_built(row.program)) return report_.skip(row.name, "not built");
    const MeasuredServer server(row.program, fixed_pool(2) + row.settings);
    await_children(server);
    Cells cells;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      LoadPlan plan;
      plan.concurrency = columns_[i].connections;
      plan.payload = columns_[i].request;
      plan.keep_alive = true;
      const Ratios ratios = compare(server.contestant(), bases_[i]->contestant(), plan, rounds_);
      cells.push_back(decimal(ratios.clock_second.median(), 2) + " / " + decimal(ratios.cpu.median(), 2));
      failed_ += ratios.failed;
    }
    print(row.name, cells);
  }

  std::uint64_t failed() const { return failed_; }

 private:
  Report& report_;
  const int rounds_;
  const std::vector<Column> columns_;
  std::vector<std::unique_ptr<MeasuredServer>> bases_;
  std::uint64_t failed_ = 0;
};

Words one_each(const Column& column) { return fixed_pool(column.connections); }

std::uint64_t compare_models(Report& report, Extent extent) {
  const Words many = {"--max-connections-per-child=2000"};
  const Words threads = many + Words{"--threads-per-child=8"};
  Table table(report, extent,
              {{"1,000, quick", 1000, "hello\n"},
               {"16, compute", 16, "work 20000\n"},
               {"16, wait 1 ms", 16, "wait 1\n"}},
              "patterns/blocking", one_each);
  for (const Row& row :
       {Row{"reactor", "patterns/reactor", many}, Row{"proactor over epoll", "patterns/proactor", many},
        Row{"proactor on io_uring", "../io-uring/patterns/proactor", many},
        Row{"emulated proactor", "patterns/emulated_proactor", many + Words{"--workers=8"}},
        Row{"half-sync/half-async", "patterns/half_sync_half_async", threads},
        Row{"half-sync/half-reactive", "patterns/half_sync_half_reactive", threads},
        Row{"leader/followers", "patterns/leader_followers", threads},
        Row{"choice, random", "patterns/choice", threads + Words{"--choice=random"}},
        Row{"choice, round robin", "patterns/choice", threads + Words{"--choice=round-robin"}},
        Row{"choice, least loaded", "patterns/choice", threads + Words{"--choice=least-loaded"}},
        Row{"choice, shared queue", "patterns/choice", threads + Words{"--choice=shared-queue"}},
        Row{"timers, wheel", "patterns/timers", many + Words{"--timers=wheel"}},
        Row{"timers, heap", "patterns/timers", many + Words{"--timers=heap"}},
        Row{"one source", "patterns/one_source", many}, Row{"shared memory", "patterns/shared_memory", many},
        Row{"pool of buffers", "patterns/buffer_pool", many}})
    table.add(row);
  return table.failed();
}

std::uint64_t compare_copies(Report& report, Extent extent) {
  std::uint64_t failed = 0;
  for (const std::string size : {"1K", "16K", "64K"}) {
    const Words common = {"--threads-per-child=8", "--size=" + size};
    Table table(report, extent, {{"16, " + size, 16, "\n"}}, "patterns/zero_copy",
                [&](const Column&) { return fixed_pool(2) + common + Words{"--way=copy"}; });
    for (const std::string way : {"gather", "sendfile", "splice", "tee"})
      table.add({way, "patterns/zero_copy", common + Words{"--way=" + way}});
    failed += table.failed();
  }
  return failed;
}

// How long it takes to restart one timer among so many.
std::uint64_t compare_timers(Report& report) {
  std::uint64_t failed = 0;
  for (const std::string kind : {"wheel", "heap"})
    for (const unsigned connections : {1U, 1000U, 10'000U}) {
      const MeasuredServer server(
          "patterns/timers",
          fixed_pool(1) + Words{"--max-connections-per-child=20000", "--timers=" + kind, "--idle=1h"});
      LoadPlan others;
      others.address = server.address();
      others.concurrency = connections;
      others.duration = 2s;
      others.keep_alive = others.stay = true;
      LoadWatch watch;
      Load standing(others, watch);
      const LoadResult stands = standing.run();
      failed += stands.failed();
      LoadPlan one;
      one.address = server.address();
      one.requests = 5;
      one.payload = "restart 1000000\n";
      Samples samples;
      one.on_answer = [&](std::string_view answer) { samples.add(std::stod(std::string(answer))); };
      failed += run_load(one, watch).failed();
      report.add(Verdict::information,
                 "timers, " + kind + ", " + std::to_string(stands.standing) + " others, to restart one",
                 decimal(samples.median(), 0) + " ns");
    }
  return failed;
}

// Quick requests beside slow ones, which have 4 of 8 workers in hand.
std::uint64_t compare_choices(Report& report, Extent extent) {
  std::uint64_t failed = 0;
  for (const std::string choice : {"random", "round-robin", "least-loaded", "shared-queue"}) {
    const MeasuredServer server("patterns/choice",
                                fixed_pool(1) + Words{"--threads-per-child=8", "--choice=" + choice});
    LoadPlan slow;
    slow.address = server.address();
    slow.concurrency = 4;
    slow.payload = "wait 20\n";
    slow.keep_alive = true;
    LoadPlan quick = slow;
    quick.concurrency = 16;
    quick.payload = "hello\n";
    quick.duration = extent.of(5s, 1s);
    BackgroundLoad background(slow);
    LoadWatch watch;
    const LoadResult result = run_load(quick, watch);
    failed += background.finish().failed() + result.failed();
    report.add(Verdict::information, "choice, " + choice + ", quick requests beside slow ones",
               decimal(result.rate(), 0) + " a second, median " +
                   decimal(std::chrono::duration<double, std::milli>(result.whole.at(0.5)).count(), 2) +
                   " ms, p99 " +
                   decimal(std::chrono::duration<double, std::milli>(result.whole.at(0.99)).count(), 2) +
                   " ms");
  }
  return failed;
}

}  // namespace

void measure_patterns(Report& report, Extent extent) {
  if (!is_built("patterns/blocking")) return report.skip("patterns", "not built; build the target patterns");
  const auto failed = compare_models(report, extent) + compare_copies(report, extent) +
                      compare_choices(report, extent) + compare_timers(report);
  report.add(pass_if(failed == 0), "failed exchanges", std::to_string(failed), "0");
}

}  // namespace brood::bench
