// SPDX-License-Identifier: MIT
// Ending a server under load: none of the connections that stand is lost, or else the log says how many.
#include <arpa/inet.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <regex>
#include <system_error>

#include "brood/descriptor.hpp"
#include "measured_server.hpp"
#include "measures.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned children = 16;
constexpr unsigned clients = 32;

LoadPlan without_pause(const std::string& address) {
  LoadPlan plan;
  plan.address = address;
  plan.concurrency = clients;
  plan.timeout = 5s;
  return plan;
}

// "closed with 16 connection(s) in its queue"
std::uint64_t logged_as_lost(const std::string& log) {
  const std::regex line("closed with ([0-9]+) connection");
  std::uint64_t sum = 0;
  for (std::sregex_iterator i(log.begin(), log.end(), line), end; i != end; ++i)
    sum += std::stoull((*i)[1].str());
  return sum;
}

struct Stop {
  LoadResult load;
  std::uint64_t logged = 0;
  std::chrono::nanoseconds took{0};
  bool orderly = false;

  // Refused connections never stood; whatever else failed, did.
  std::uint64_t lost() const { return load.failed() - load.count(Failure::refused); }
};

Stop stop_under_load(const std::function<void()>& before_exec) {
  Stop stop;
  MeasuredServer server("echo", fixed_pool(children), {.before_exec = before_exec});
  BackgroundLoad load(without_pause(server.address()));
  if (!wait_until([&] { return load.answered() > 1000; }, 10s)) throw std::runtime_error("no answers");
  const auto began = std::chrono::steady_clock::now();
  server.program().signal(SIGTERM);
  stop.orderly = server.program().wait(20s) == 0;
  stop.took = std::chrono::steady_clock::now() - began;
  stop.load = load.finish();
  stop.logged = logged_as_lost(server.log());
  return stop;
}

// Without it the kernel takes no filter for a TCP listener. The bounding set limits what exec() gives to
// root.
void drop_net_admin() {
  if (::prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN) != 0) ::_exit(127);
}

bool may_drop_syn() { return ::prctl(PR_CAPBSET_READ, CAP_NET_ADMIN) == 1 && ::geteuid() == 0; }

struct Listening {
  Descriptor socket;
  std::string address;
};

Listening listen_on_free_port() {
  Listening listening{Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), ""};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening.socket.get(), generic, size) != 0 || ::listen(listening.socket.get(), 4096) != 0 ||
      ::getsockname(listening.socket.get(), generic, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "listen");
  listening.address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  return listening;
}

}  // namespace

void measure_stop(Report& report, Extent extent) {
  const int times = extent.of(20, 5);
  const auto run = [&](const std::function<void()>& before_exec, auto&& each) {
    Samples took;
    bool orderly = true;
    for (int i = 0; i < times; ++i) {
      const Stop stop = stop_under_load(before_exec);
      took.add(stop.took);
      orderly = orderly && stop.orderly;
      each(stop);
    }
    report.add(Verdict::information, "time to stop", took.describe(0, " ms"));
    return orderly;
  };

  if (may_drop_syn()) {
    std::uint64_t lost = 0;
    std::string failures;
    const bool orderly = run({}, [&](const Stop& stop) {
      lost += stop.lost();
      if (stop.lost() > 0) failures += "; " + stop.load.describe_failures();
    });
    report.add(pass_if(lost == 0 && orderly),
               "with the filter, connections lost in " + std::to_string(times) + " stops",
               std::to_string(lost) + failures + (orderly ? "" : "; not every stop was orderly"), "0");
  } else {
    report.skip("with the filter", "CAP_NET_ADMIN is not ours");
  }

  if (::geteuid() != 0) return report.skip("without the filter", "only root can give up CAP_NET_ADMIN");
  std::uint64_t lost = 0, logged = 0;
  std::string different;
  const bool orderly = run(drop_net_admin, [&](const Stop& stop) {
    lost += stop.lost();
    logged += stop.logged;
    if (stop.lost() != stop.logged)
      different += "; once " + std::to_string(stop.logged) + " logged, but " + stop.load.describe_failures();
  });
  report.add(pass_if(different.empty() && orderly),
             "without CAP_NET_ADMIN, connections lost in " + std::to_string(times) + " stops",
             std::to_string(lost) + ", logged " + std::to_string(logged) + different +
                 (orderly ? "" : "; not every stop was orderly"),
             "what is logged, in each stop");
}

void measure_inherit(Report& report, Extent extent) {
  constexpr int inherited = 9;
  const int times = extent.of(20, 5);
  const Listening listening = listen_on_free_port();
  const auto start = [&] {
    MeasuredServer::Surroundings surroundings{.listen = {"fd:" + std::to_string(inherited)}};
    surroundings.before_exec = [&] {
      if (::dup2(listening.socket.get(), inherited) < 0) ::_exit(127);
    };
    return std::make_unique<MeasuredServer>("echo", fixed_pool(children), surroundings);
  };
  auto server = start();
  BackgroundLoad load(without_pause(listening.address));
  Samples took;
  bool orderly = true;
  for (int i = 0; i < times; ++i) {
    const auto answered = load.answered();
    if (!wait_until([&] { return load.answered() > answered + 500; }, 10s))
      throw std::runtime_error("no answers");
    auto successor = start();
    const auto began = std::chrono::steady_clock::now();
    server->program().signal(SIGTERM);
    orderly = server->program().wait(20s) == 0 && orderly;
    took.add(std::chrono::steady_clock::now() - began);
    server = std::move(successor);
  }
  const LoadResult& result = load.finish();
  report.add(Verdict::information, "time of the old server to stop", took.describe(0, " ms"));
  report.add(pass_if(result.failed() == 0 && orderly),
             "connections failed of " + std::to_string(result.answered + result.failed()) + " in " +
                 std::to_string(times) + " starts",
             result.describe_failures() + (orderly ? "" : "; not every stop was orderly"), "none");
}

}  // namespace brood::bench
