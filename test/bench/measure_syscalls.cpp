// SPDX-License-Identifier: MIT
// System calls of the children for each connection, as strace counts them.
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>

#include "measured_server.hpp"
#include "measures.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned children = 4;
constexpr unsigned clients = 8;

using Counts = std::map<std::string, double>;  // for each connection

bool is_installed(const std::string& program) {
  std::istringstream path(::getenv("PATH") != nullptr ? ::getenv("PATH")
                                                      : "");  // NOLINT(concurrency-mt-unsafe)
  for (std::string directory; std::getline(path, directory, ':');)
    if (std::filesystem::exists(directory + "/" + program)) return true;
  return false;
}

std::size_t occurrences(const std::string& text, const std::string& of) {
  std::size_t number = 0;
  for (auto at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) ++number;
  return number;
}

// Rows of "strace -c": % time, seconds, usecs/call, calls, [errors,] name.
Counts parse_counts(const std::string& table, std::uint64_t connections) {
  Counts counts;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream row(line);
    double share = 0, seconds = 0, each = 0, calls = 0;
    std::string word, name;
    if (!(row >> share >> seconds >> each >> calls)) continue;
    while (row >> word) name = word;
    if (name != "total" && !name.empty()) counts[name] = calls / static_cast<double>(connections);
  }
  return counts;
}

Counts count(const std::vector<pid_t>& pids, const Words& addresses, std::uint64_t connections) {
  const TemporaryDirectory directory;
  Words words = {"strace", "-c", "-f", "-o", directory / "counts"};
  for (const pid_t pid : pids) words.insert(words.end(), {"-p", std::to_string(pid)});
  Program strace({words, directory / "output", {}});
  const auto attached = [&] {
    return occurrences(read_file(directory / "output"), " attached") == pids.size();
  };
  if (!wait_until([&] { return attached() || !strace.running(); }, 10s) || !strace.running())
    throw std::runtime_error("strace: " + read_file(directory / "output"));

  // The listeners at the same time: a child has to choose.
  std::vector<std::unique_ptr<BackgroundLoad>> loads;
  for (const auto& address : addresses) {
    LoadPlan plan;
    plan.address = address;
    plan.concurrency = clients / static_cast<unsigned>(addresses.size());
    plan.connections = connections / addresses.size();
    loads.push_back(std::make_unique<BackgroundLoad>(plan));
  }
  const auto answered = [&] {
    std::uint64_t sum = 0;
    for (const auto& load : loads) sum += load->answered();
    return sum;
  };
  if (!wait_until([&] { return answered() == connections; }, 120s))
    throw std::runtime_error(std::to_string(connections - answered()) + " connections were not answered");
  for (const auto& load : loads) load->finish();
  pause_for(50ms);  // for the last close()
  strace.signal(SIGINT);
  if (!strace.wait(10s)) throw std::runtime_error("strace does not end");
  return parse_counts(read_file(directory / "counts"), connections);
}

double sum(const Counts& counts) {
  double sum = 0;
  for (const auto& [name, number] : counts) sum += number;
  return sum;
}

std::string describe(const Counts& counts) {
  std::string text = decimal(sum(counts), 4) + " (";
  for (const auto& [name, number] : counts)
    text += (text.ends_with('(') ? "" : ", ") + name + " " + decimal(number, 4);
  return text + ")";
}

}  // namespace

void measure_syscalls(Report& report, Extent extent) {
  if (!is_installed("strace")) return report.skip("all", "strace is not installed");
  const std::uint64_t connections = extent.of(10'000, 2'000);
  const BareServer bare_server("brood-bare", children);
  const Counts bare = count(bare_server.children(), {bare_server.address()}, connections);
  report.add(Verdict::information, "bare loop", describe(bare));
  {
    const MeasuredServer server("echo", fixed_pool(children));
    const Counts counts = count(server.children(), server.addresses(), connections);
    report.add(pass_if(std::abs(sum(counts) - sum(bare)) <= 0.01), "echo, one listener", describe(counts),
               "the bare loop's within 0.01");
  }
  const MeasuredServer server("echo", fixed_pool(children), {.listen = {"127.0.0.1:0", "127.0.0.1:0"}});
  const Counts counts = count(server.children(), server.addresses(), connections);
  report.add(pass_if(sum(counts) - sum(bare) <= 1.01), "echo, two listeners", describe(counts),
             "at most one more than the bare loop's");
}

}  // namespace brood::bench
