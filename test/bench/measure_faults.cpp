// SPDX-License-Identifier: MIT
// What may go wrong around a server: children that are stopped, or killed, and a kernel that has no process
// to give.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <random>
#include <system_error>

#include "measured_server.hpp"
#include "measures.hpp"
#include "proc.hpp"
#include "waiting.hpp"

namespace brood::bench {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr unsigned clients = 32;

LoadPlan without_pause(const std::string& address) {
  LoadPlan plan;
  plan.address = address;
  plan.concurrency = clients;
  plan.timeout = 30s;
  return plan;
}

void await_answers(const BackgroundLoad& load, std::uint64_t more) {
  const auto before = load.answered();
  if (!wait_until([&] { return load.answered() >= before + more; }, 10s))
    throw std::runtime_error("no answers");
}

// The children that were stopped go on when this ends, whatever happens.
class StoppedChildren {
 public:
  explicit StoppedChildren(std::vector<pid_t> pids) : pids_(std::move(pids)) {
    for (const pid_t pid : pids_) ::kill(pid, SIGSTOP);
    const auto stopped = [](pid_t pid) { return state_of(pid) == 'T' || state_of(pid) == '\0'; };
    if (!wait_until([&] { return std::all_of(pids_.begin(), pids_.end(), stopped); }, 5s, 100us))
      throw std::runtime_error("SIGSTOP did not stop every child");
  }
  ~StoppedChildren() {
    for (const pid_t pid : pids_) ::kill(pid, SIGCONT);
  }
  StoppedChildren(const StoppedChildren&) = delete;
  StoppedChildren& operator=(const StoppedChildren&) = delete;

 private:
  std::vector<pid_t> pids_;
};

constexpr uid_t nobody = 65534;

// Lets fork() of this process fail, or work again. A process of its own does it: changing the limit of
// another user's process takes a privilege that root may lack.
void let_fork_fail(pid_t pid, bool fail) {
  const pid_t helper = ::fork();
  if (helper < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (helper == 0) {
    rlimit limit{};
    const bool same_user = ::geteuid() != 0 || (::setresgid(nobody, nobody, nobody) == 0 &&
                                                ::setresuid(nobody, nobody, nobody) == 0);
    if (!same_user || ::prlimit(pid, RLIMIT_NPROC, nullptr, &limit) != 0) ::_exit(1);
    limit.rlim_cur = fail ? 1 : limit.rlim_max;
    ::_exit(::prlimit(pid, RLIMIT_NPROC, &limit, nullptr) == 0 ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(helper, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0) throw std::runtime_error("prlimit is not permitted");
}

std::string figures(const ServiceSnapshot& service) {
  return "accepted " + std::to_string(service.total.accepted) + ", finished " +
         std::to_string(service.total.finished) + ", aborted " + std::to_string(service.total.aborted) +
         ", open " + std::to_string(service.open_connections);
}

}  // namespace

void measure_stopped(Report& report, Extent extent) {
  Samples took;
  std::string failures;
  for (int i = 0; i < extent.of(10, 3); ++i) {
    const MeasuredServer server("echo", pool(16, 5, 16, 128));
    BackgroundLoad load(without_pause(server.address()));
    await_answers(load, 500);
    {
      const auto began = Clock::now();
      const StoppedChildren stopped(server.children());
      await_answers(load, 100);
      took.add(Clock::now() - began);
    }
    const LoadResult& result = load.finish();
    if (result.failed() > 0) failures += (failures.empty() ? "" : "; ") + result.describe_failures();
  }
  report.add(pass_if(took.most() < 1000), "time from SIGSTOP until 100 more clients were answered",
             took.describe(1, " ms"), "under 1000 ms");
  report.add(pass_if(failures.empty()), "connections failed, after the stopped children went on",
             failures.empty() ? "none" : failures, "none");
}

void measure_forkfail(Report& report, Extent extent) {
  const std::chrono::seconds time = extent.of(5s, 2s);
  Words settings = pool(16, 1, 16, 64);
  settings.push_back("--max-requests-per-child=100");
  MeasuredServer::Surroundings surroundings;
  if (::geteuid() == 0) surroundings.user = nobody;  // a limit of processes does not bind root
  MeasuredServer server("echo", settings, surroundings);
  BackgroundLoad load(without_pause(server.address()));
  await_answers(load, 5000);

  const pid_t parent = server.program().pid();
  const auto before = server.service();
  let_fork_fail(parent, true);
  const auto began = Clock::now();
  const auto answered_before = load.answered();
  const auto cpu_before = cpu_time(parent);
  pause_for(time);
  const std::chrono::duration<double> elapsed = Clock::now() - began;
  const std::chrono::duration<double> cpu = cpu_time(parent) - cpu_before;
  const auto answered = load.answered() - answered_before;
  const auto during = server.service();
  let_fork_fail(parent, false);

  // Children start again, and the pool is whole again.
  const bool recovered =
      wait_until([&] { return server.service().children_started > during.children_started + 32; }, 15s, 10ms);
  const LoadResult& result = load.finish();
  const double share = cpu.count() / elapsed.count() * 100;
  const bool failed_to_fork = server.log().find(": fork: ") != std::string::npos;
  report.add(Verdict::information, "children started before, and while fork() failed",
             std::to_string(before.children_started) + ", " +
                 std::to_string(during.children_started - before.children_started) + "; " +
                 std::to_string(during.children()) + " were left, and answered " +
                 decimal(static_cast<double>(answered) / elapsed.count(), 0) + " connections a second");
  report.add(pass_if(failed_to_fork && result.failed() == 0),
             "connections failed of " + std::to_string(result.answered + result.failed()),
             result.describe_failures() + (failed_to_fork ? "" : ", but fork() never failed"), "none");
  report.add(pass_if(share < 5), "the parent's CPU", decimal(share, 2) + " %", "under 5 %");
  report.add(pass_if(recovered), "children are started again once fork() works",
             recovered ? "yes" : "not in 15 s", "yes");
}

void measure_kill(Report& report, Extent extent) {
  constexpr unsigned children = 16, min_spare = 5, max_spare = 16;
  const int kills = extent.of(100, 25);
  Words settings = pool(children, min_spare, max_spare, 64);
  settings.push_back("--hold=20ms");
  MeasuredServer server("brood-bench-hold", settings);
  BackgroundLoad load(without_pause(server.address()));
  await_answers(load, 100);
  std::mt19937 random(std::random_device{}());
  // Not in step with the 20 ms of the handler.
  std::uniform_int_distribution<int> pause_ms(150, 250);
  int idle = 0;
  for (int i = 0; i < kills; ++i) {
    auto slots = server.service().slots;
    std::erase_if(slots,
                  [](const SlotSnapshot& slot) { return slot.state == SlotState::empty || slot.pid == 0; });
    if (slots.empty()) throw std::runtime_error("there are no children");
    const SlotSnapshot& victim = slots[random() % slots.size()];
    ::kill(victim.pid, SIGKILL);
    if (victim.state == SlotState::idle) ++idle;
    pause_for(std::chrono::milliseconds(pause_ms(random)));
  }
  const LoadResult& result = load.finish();

  ServiceSnapshot end;
  const auto settled = [&] {
    end = server.service();
    return end.open_connections == 0 && end.starting + end.leaving == 0 && end.idle >= min_spare &&
           end.idle <= max_spare;
  };
  const bool within_limits = wait_until(settled, 20s, 10ms);
  auto on_table = server.children();
  auto there = children_of(server.program().pid());
  std::sort(on_table.begin(), on_table.end());
  std::sort(there.begin(), there.end());
  report.add(pass_if(on_table == there), "census afterwards",
             std::to_string(on_table.size()) + " children in the table, " + std::to_string(there.size()) +
                 " in the kernel",
             "the same ones");
  // Each connection that the clients had is in the table. The kernel may hand one to a child that dies before
  // it runs its next instruction: only the client knows of that one.
  const auto had = result.answered + result.lost();
  const auto unknown = had - std::min(had, end.total.accepted);
  report.add(Verdict::information, "children killed",
             std::to_string(kills) + ", of which " + std::to_string(idle) + " were idle");
  report.add(pass_if(unknown <= static_cast<unsigned>(idle) && result.failed() == result.lost()),
             "connections lost at the clients",
             result.describe_failures() + "; the table says aborted " + std::to_string(end.total.aborted) +
                 ", of which " +
                 std::to_string(result.answered - std::min(result.answered, end.total.finished)) +
                 " had their answer; " + std::to_string(unknown) + " are not in the table",
             "all in the table, but for at most one an idle child killed");
  report.add(pass_if(end.total.accepted == end.total.finished + end.total.aborted), "totals", figures(end),
             "accepted = finished + aborted");
  report.add(pass_if(within_limits), "spares afterwards", std::to_string(end.idle), "from 5 to 16");
}

}  // namespace brood::bench
