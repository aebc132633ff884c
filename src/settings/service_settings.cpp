// SPDX-License-Identifier: MIT
// The settings of a service: their names, bounds, defaults and help.
#include "settings/configuration.hpp"
#include "settings/service_command_settings.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

constexpr unsigned most_children = 32'768;
constexpr unsigned most_connections = 100'000;
constexpr milliseconds longest{std::chrono::hours(24 * 30)};

void add_listen_settings(Settings& settings, ServiceConfiguration& service) {
  settings.section("Where connections arrive");
  settings.list("listen", service.listen,
                "Where to listen. For connections: HOST:PORT, [IPv6]:PORT, *:PORT for every address, PORT "
                "for 127.0.0.1, or unix:PATH. For datagrams: udp: before any of the first four, or "
                "unix-datagram:PATH. For triggers: timer:TIME, which ticks once every TIME, for example "
                "timer:30s, or fifo:PATH, into which other programs write lines. For a socket that was "
                "inherited as descriptor N: fd:N. Port 0 chooses a free port. Options may follow: "
                "',name=NAME' is a name that the handler can read; ',mode=0660' and ',owner=USER:GROUP' are "
                "for a unix socket or a FIFO; ',per=byte' makes each byte of a FIFO a trigger.");
  settings
      .number("listen-backlog", service.listen_backlog, 1, 65'535,
              "How many connections may wait in the queue of a listener. The kernel limits this to "
              "net.core.somaxconn. For UDP, how many datagrams of 1 KiB may wait; if the parent is not root, "
              "the kernel limits this to net.core.rmem_max.")
      .applied_on = AppliedOn::restart;
}

void add_pool_settings(Settings& settings, Limits& limits) {
  settings.section("Number of children");
  settings.number("start-servers", limits.start_servers, 0, most_children,
                  "How many children to start at once. 0: none before the first connection.");
  settings.number("min-spare-servers", limits.min_spare_servers, 0, most_children,
                  "If fewer children than this are spare, more are started at once. 0: a child is started "
                  "when work arrives and no child can take it; until then the parent watches the listeners.");
  settings.number(
      "max-spare-servers", limits.max_spare_servers, 1, most_children,
      "If more children than this stay spare, a quarter of the surplus is told to leave each second.");
  settings.number("max-clients", limits.max_clients, 1, most_children,
                  "The largest number of children, whatever they do. Further connections wait in the queue "
                  "of the listener.");
  settings.number("max-requests-per-child", limits.max_requests_per_child, 0, 1'000'000'000,
                  "Replace a child after this many connections. 0: never. Use it for handlers that leak.");
}

// Of a child that does several things at once.
void add_concurrency_settings(Settings& settings, ServiceConfiguration& service) {
  const ChildModel& model = service.model;
  if (!model.threads && !model.many_connections) return;
  settings.section("Inside a child");
  if (model.threads)
    settings.text("threads-per-child", service.threads_per_child,
                  "How many handlers run at once in a child: a number from 1 to 1024, 'cpu' for one more "
                  "than the number of CPUs, if handlers compute, or 'io' for twice that number plus one, if "
                  "they wait. Above 1 the program must declare that its handlers are thread-safe.");
  if (!model.many_connections) return;
  settings.number("max-connections-per-child", service.limits.max_connections_per_child, 1, most_connections,
                  "How many connections a child has at once. A child with fewer is a spare.");
  settings.duration("connection-idle-timeout", service.limits.connection_idle_timeout, milliseconds(0),
                    longest,
                    "Close a connection on which nothing is read or written for this time. 0: no limit.");
}

void add_time_settings(Settings& settings, Limits& limits) {
  settings.section("Time limits");
  settings.duration("graceful-timeout", limits.graceful_timeout, milliseconds(0), longest,
                    "How long open connections may go on after SIGTERM before they are killed. 0: no limit.");
  settings.duration("idle-timeout", limits.idle_timeout, milliseconds(0), longest,
                    "Tell a child to leave if it is idle for this time, while there are more spares than "
                    "min-spare-servers. 0: no limit.");
  settings.duration("connection-timeout", limits.connection_timeout, milliseconds(0), longest,
                    "If a child serves one connection for longer than this, it gets SIGABRT, 5 seconds later "
                    "SIGKILL, and is replaced. The log says what it was serving. 0: no limit. It must be "
                    "longer than every timeout of the handler.");
  settings.duration("leave-timeout", limits.leave_timeout, milliseconds(1), longest,
                    "How long a child without open connections may take to leave after it was told to. After "
                    "that it gets SIGABRT, and 5 seconds later SIGKILL.");
  settings.duration("detach-timeout", limits.detach_timeout, milliseconds(1), longest,
                    "How long a child may live after it has given its slot back. After that it gets SIGABRT, "
                    "and 5 seconds later SIGKILL. The program decides whether its children do this.");
}

void add_failure_settings(Settings& settings, std::string& on_failure) {
  settings.section("When children fail");
  settings.text("on-failure", on_failure,
                "A command that the parent runs, as its own user, when a child has failed: an absolute path "
                "and arguments. Put arguments with blanks in quotes. It runs at most once a minute and for "
                "at most a minute. Its environment has BROOD_SERVICE, BROOD_SLOT, BROOD_CHILD_PID, "
                "BROOD_EXIT_CODE or BROOD_SIGNAL and BROOD_SIGNAL_NAME, and BROOD_FAILURES, the number of "
                "failures since the last run. Empty: none.");
}

void add_identity_settings(Settings& settings, ServiceConfiguration& service) {
  settings.section("User and group");
  settings
      .text("user", service.user,
            "The user that children run as, by name or number. Empty: the user of the parent.")
      .applied_on = AppliedOn::restart;
  settings.text("group", service.group, "The group that children run as. Empty: the group of the user.")
      .applied_on = AppliedOn::restart;
}

}  // namespace

ServiceConfiguration::ServiceConfiguration(std::string its_name, const ChildModel& its_model,
                                           bool is_thread_safe)
    : name(std::move(its_name)), model(its_model), thread_safe(is_thread_safe) {
  if (model.many_connections) {
    limits.max_connections_per_child = 1000;
    limits.connection_idle_timeout = std::chrono::minutes(1);
  }
  if (model.work == WorkKind::triggers) listen = {"timer:30s"};
  if (model.work == WorkKind::datagrams) listen = {"udp:127.0.0.1:8000"};
}

void add_service_settings(Settings& settings, ServiceConfiguration& service) {
  add_listen_settings(settings, service);
  if (service.model.command) add_service_command_settings(settings, service.command);
  add_pool_settings(settings, service.limits);
  add_concurrency_settings(settings, service);
  add_time_settings(settings, service.limits);
  add_failure_settings(settings, service.on_failure);
  add_identity_settings(settings, service);
}

}  // namespace brood
