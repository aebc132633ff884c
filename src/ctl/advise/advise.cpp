// SPDX-License-Identifier: MIT
#include "ctl/advise/advise.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/text/duration.hpp"
#include "brood/error.hpp"
#include "ctl/advise/advice.hpp"
#include "ctl/locate.hpp"
#include "ctl/status.hpp"
#include "ctl/top/processes.hpp"

namespace brood::ctl {
namespace {

using std::chrono::milliseconds;

milliseconds duration_of(const Invocation& invocation, const std::string& option, milliseconds usual,
                         milliseconds lowest) {
  const std::string given = invocation.option(option);
  if (given.empty()) return usual;
  try {
    return parse_duration(given, lowest, std::chrono::hours(24));
  } catch (const Error& error) {
    throw Failure(option + '=' + given + ' ' + error.what(), outcome::wrong_usage);
  }
}

Wish wish_of(const Invocation& invocation) {
  Wish wish;
  wish.within =
      std::chrono::duration<double>(duration_of(invocation, "--within", milliseconds(5), milliseconds(0)))
          .count();
  if (const std::string given = invocation.option("--wait"); !given.empty()) {
    char* end = nullptr;
    const double percent = std::strtod(given.c_str(), &end);
    const bool is_share = percent > 0 && percent < 100;
    if (std::string_view(end) != "%" || !is_share)
      throw Failure("--wait is a share of the connections as 1%, not " + given, outcome::wrong_usage);
    wish.share = percent / 100;
  }
  if (const std::string given = invocation.option("--max-clients"); !given.empty()) {
    wish.max_clients = parse_number<std::uint32_t>(given);
    if (!wish.max_clients || *wish.max_clients == 0)
      throw Failure("--max-clients is a number from 1, not " + given, outcome::wrong_usage);
  }
  return wish;
}

LookAtService look_at(const ServiceSnapshot& service, Time at) {
  return {.at = at.time_since_epoch(),
          .total = service.total,
          .open = service.open_connections,
          .all_taken = service.spare == 0};
}

double available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  double kibibytes = 0;
  while (file >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

}  // namespace

Means means_of(const ServiceSnapshot& service) {
  Means means{.max_clients = service.max_clients, .children = service.children()};
  std::vector<pid_t> pids;
  for (const auto& slot : service.slots) {
    means.capacity = std::max(means.capacity, slot.capacity);
    if (slot.pid > 0) pids.push_back(slot.pid);
  }
  const auto figures = Processes().look(pids, Clock::now());
  for (const auto& [pid, process] : figures)
    means.memory_of_child += static_cast<double>(process.memory_bytes) / static_cast<double>(figures.size());
  means.memory_available = available_memory();
  return means;
}

int advise(const Invocation& invocation) {
  if (invocation.arguments.size() > 1) throw Failure("advise takes one SERVICE", outcome::wrong_usage);
  const std::string wanted = invocation.arguments.empty() ? "" : invocation.arguments.front();
  const Wish wish = wish_of(invocation);
  constexpr milliseconds between{100};
  const milliseconds length = duration_of(invocation, "--for", std::chrono::seconds(10), between);
  const std::string path = locate(invocation.server, directory_of(invocation.runtime_directory));
  std::map<std::string, std::vector<LookAtService>> looks;
  Snapshot snapshot;
  const Time begin = Clock::now();
  for (Time next = begin; next <= begin + length; next += between) {
    std::this_thread::sleep_until(next);
    snapshot = read_scoreboard(path);
    if (!wanted.empty()) snapshot = only(std::move(snapshot), wanted);
    for (const auto& service : snapshot.services)
      looks[service.name].push_back(look_at(service, Clock::now()));
  }
  std::vector<Advised> services;
  for (const auto& service : snapshot.services)
    services.push_back(
        {service.name, workload_of(looks[service.name]), means_of(service), service.counts_connections});
  if (invocation.json) {
    std::fputs(advice_as_json(services, wish).c_str(), stdout);
  } else {
    for (const Advised& one : services) {
      const std::string its =
          one.counts_connections
              ? advice(one.service, one.work, wish, one.means)
              : text(harmless(one.service), ": its program does not report its connections\n");
      std::fputs(its.c_str(), stdout);
    }
  }
  const bool thin = std::ranges::any_of(services, [](const Advised& service) { return service.work.thin; });
  return thin ? outcome::warning : outcome::done;
}

}  // namespace brood::ctl
