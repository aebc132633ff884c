// SPDX-License-Identifier: MIT
#include "child/child_process.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "brood/error.hpp"
#include "brood/log.hpp"
#include "child/child_signals.hpp"
#include "child/client_messages.hpp"
#include "child/crash/crash_handler.hpp"
#include "child/handler_guard.hpp"
#include "child/own_counters.hpp"
#include "child/proxy/awaited_headers.hpp"
#include "listen/backlog.hpp"

namespace brood {

using namespace std::chrono_literals;

namespace {

// Set in a copy that fork() has made of a process: getpid() would be a system call for each connection.
bool is_copy = false;
void note_copy() { is_copy = true; }

std::atomic<bool> measures_wait = false;

}  // namespace

ChildProcess::ChildProcess(ChildSetup&& setup, MemoryLimit memory, std::unique_ptr<AccessLog> access_log)
    : limits_(setup.limits),
      parent_(setup.parent),
      server_(*setup.server),
      detach_timeout_(setup.scoreboard->service().detach_timeout.load()),
      slot_(*setup.scoreboard, setup.slot,
            {.connections = limits_.connections, .threads = limits_.threads > 1}),
      memory_(std::move(memory)),
      access_log_(std::move(access_log)),
      admission_(setup.admission != nullptr && setup.admission->decides()
                     ? std::make_unique<Admission>(*setup.admission, *setup.scoreboard, setup.slot)
                     : nullptr),
      counters_(counters_of(server_)),
      wait_(std::move(setup.listeners), limits_.threads) {
  if (access_log_) measures_wait = true;
  if (std::ranges::any_of(wait_.listeners(), &ChildListener::proxy))
    awaited_ = std::make_unique<AwaitedHeaders>(*setup.proxy);
  bind(counters_, *setup.scoreboard, setup.slot);
  prepare();        // an executed program is no copy of its parent
  is_copy = false;  // the fork() of the parent has set it
  child_signals::set_up(slot_, wait_.listeners(), limits_.threads, parent_, wait_.dead());
  if (parent_ == no_parent) return;  // nobody would read it
  const Scoreboard& scoreboard = *setup.scoreboard;
  crash_handler::set_up(slot_, scoreboard.evidence(setup.slot),
                        scoreboard.slot_orders(setup.slot).incarnation.load());
}

ChildProcess::~ChildProcess() = default;

// Programs that handlers start are copies, too, until they are executed.
void ChildProcess::prepare() {
  static const int failed = ::pthread_atfork(nullptr, nullptr, note_copy);
  if (failed != 0) throw SystemError("note copies of this process", failed);
}

this_child::Load ChildProcess::load() const {
  const ChildSlot::Pool pool = slot_.look_at_pool();
  this_child::Load load{.spares = pool.spares, .busy = pool.busy};
  load.waiting = clients_waiting();
  const std::uint64_t before = load.waiting + std::uint64_t{1};
  if (before <= pool.spares || pool.finished == 0) return load;
  const auto all = (before - pool.spares) * (pool.duration / pool.finished) / std::max(pool.children, 1U);
  load.expected_wait = std::chrono::duration_cast<std::chrono::milliseconds>(all);
  return load;
}

void ChildProcess::measure_wait() { measures_wait = true; }

// What was sent last is the end of the handshake (tcp(7), TCP_INFO). In milliseconds.
[[gnu::hot]] void ChildProcess::note_wait(ConnectionId id, int socket, int listener) {
  const bool each = measures_wait.load(relaxed);
  if (!slot_.measures_wait(id) && !each) return;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  if (slot_.waited(id, std::chrono::milliseconds(info.tcpi_last_data_sent), each))
    slot_.saw_waiting(1 + count_backlog(listener, WorkKind::connections));  // with itself
}

[[gnu::hot]] std::unique_lock<std::mutex> ChildProcess::turn() const {
  return limits_.threads > 1 ? std::unique_lock(turn_) : std::unique_lock(turn_, std::defer_lock);
}

[[gnu::hot]] bool ChildProcess::leaving() const { return child_signals::retired() || slot_.must_leave(); }

// It would count the connection twice, cut it for the child, and accept others that nobody sees.
[[gnu::hot]] void ChildProcess::end_if_copy() const {
  if (!is_copy) return;
  log_error(
      text("process ", ::getpid(), " is a copy of a child of process ", parent_,
           ", made by fork() in a handler or a hook, that has returned from it: it ends; such a copy must "
           "end with _exit() or become another program"));
  ::_exit(static_cast<int>(ExitCode::software));
}

[[gnu::hot]] void ChildProcess::finished(Connection connection, Outcome outcome) {
  end_if_copy();
  const Outcome seen = with_traces(outcome, traces_of(connection));
  if (admission_) admission_->release(connection.id());  // before the client can know and come again
  connection.close();
  finished(connection.id(), seen, connection.bytes_read(), connection.bytes_written());
}

[[gnu::hot]] void ChildProcess::finished(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                                         std::uint64_t bytes_written) {
  end_if_copy();
  if (admission_) admission_->release(id);
  const Time now = Clock::now();
  const bool probe = awaited_ && !slot_.counts(id);  // the balancer's own
  tell_end(id, probe ? Outcome::probe : outcome, bytes_read, bytes_written, now);
  if (probe)
    slot_.finished(id, ChildSlot::NotCounted::probe);
  else
    slot_.finished(id, outcome, bytes_read, bytes_written, now);
  look_after_end();
}

// One connection has ended.
[[gnu::hot]] void ChildProcess::look_after_end() {
  sum_up_client_messages();
  if (leaving()) return;
  {
    const auto turn = this->turn();
    const bool paused = back_off_.load() != 0ms || (wait_.own_loop() && wait_.watch().paused());
    if (state_.accepts() && !paused) wait_.set_watched(true);
    if (slot_.outdated() || slot_.at_cap() || memory_.look()) act(state_.replacement_due());
  }
  if (slot_.far_beyond_cap()) hold_back();
}

[[gnu::hot]] void ChildProcess::tell_end(ConnectionId id, Outcome outcome, std::uint64_t bytes_read,
                                         std::uint64_t bytes_written, Time now) {
  std::optional<OpenConnections::Entry> copy;
  const OpenConnections::Entry& entry = slot_.open_connection(id, copy);
  sockaddr_storage peer{};
  std::memcpy(&peer, entry.peer.data(), entry.peer.size());
  const char* const note = entry.note.data();
  Ended ended{.peer = Address(peer),
              .listener = wait_.listeners()[entry.listener].name,
              .note = {note, ::strnlen(note, entry.note.size())},
              .duration = std::chrono::nanoseconds(to_nanoseconds(now) - entry.since),
              .bytes_read = bytes_read,
              .bytes_written = bytes_written,
              .outcome = outcome};
  if (entry.waited != OpenConnections::not_measured) ended.waited = std::chrono::milliseconds(entry.waited);
  if (access_log_) access_log_->write(ended);
  guard_handler([&] { server_.on_connection_end(ended); }, [] { return std::string("on_connection_end"); });
}

int ChildProcess::leave_fd() { return wait_.leave_fd(); }

}  // namespace brood
