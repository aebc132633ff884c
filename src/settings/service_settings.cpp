// SPDX-License-Identifier: MIT
// The settings of a service: their names, bounds, defaults and help.
#include "base/sandbox/call_groups.hpp"
#include "base/text.hpp"
#include "settings/configuration.hpp"
#include "settings/service_admission.hpp"
#include "settings/service_command_settings.hpp"
#include "settings/size.hpp"

namespace brood {
namespace {

using std::chrono::milliseconds;

constexpr unsigned most_children = 32'768;
constexpr unsigned most_connections = 100'000;
constexpr milliseconds longest{std::chrono::hours(24 * 30)};
constexpr std::uint64_t largest = std::uint64_t{1} << 50U;

void add_listen_settings(Settings& settings, ServiceConfiguration& service) {
  settings.section("Where connections arrive");
  settings.list(
      "listen", service.listen,
      "Where to listen. For connections: HOST:PORT, [IPv6]:PORT, *:PORT for every address, PORT "
      "for 127.0.0.1, or unix:PATH. For datagrams: udp: before any of the first four, or "
      "unix-datagram:PATH; a multicast group is joined, at the interface of udp:239.1.2.3:5000%eth0 or "
      "udp:[ff02::5%eth0]:5000. For triggers: timer:TIME, which ticks once every TIME, for example "
      "timer:30s, or fifo:PATH, into which other programs write lines. For a socket that was "
      "inherited as descriptor N: fd:N, or fd:NAME by the name that systemd gives it. Port 0 chooses a free "
      "port. Options may follow: "
      "',name=NAME' is a name that the handler can read; ',mode=0660' and ',owner=USER:GROUP' are "
      "for a unix socket or a FIFO; ',per=byte' makes each byte of a FIFO a trigger; ',nagle' makes TCP "
      "hold back small packets until the last one is acknowledged, as it does by default in other "
      "programs; ',proxy' is for a listener behind a balancer that begins each connection with a header of "
      "the PROXY protocol, and names its client there (see proxy-from).");
  settings
      .number("listen-backlog", service.listen_backlog, 1, 65'535,
              "How many connections may wait in the queue of a listener. The kernel limits this to "
              "net.core.somaxconn. For UDP, how many datagrams of 1 KiB may wait; if the parent is not root, "
              "the kernel limits this to net.core.rmem_max.")
      .applied_on = AppliedOn::service_restart;
  settings.value(
      "tcp-keepalive", service.socket.keepalive,
      {.kind = "IDLE/INTERVAL/COUNT", .read = parse_keepalive, .write = write_keepalive},
      "When TCP asks a silent client whether it is still there: after IDLE, then each INTERVAL, and "
      "after COUNT questions without an answer the connection is broken. For example 60s/10s/5. "
      "INTERVAL and COUNT may be left out. 0: never.");
  settings.duration("tcp-user-timeout", service.socket.user_timeout, milliseconds(0), longest,
                    "How long what was written may be without an acknowledgement before the connection is "
                    "broken (tcp(7), TCP_USER_TIMEOUT). 0: as long as the kernel repeats it.");
  settings.duration(
      "tcp-defer-accept", service.socket.defer_accept, milliseconds(0), std::chrono::hours(1),
      "How long a TCP connection may wait for its first byte before a child gets it, in whole "
      "seconds (TCP_DEFER_ACCEPT). Not for protocols in which the server speaks first. 0: not.");
  settings
      .flag("freebind", service.socket.freebind,
            "Whether addresses can be listened on that this machine does not have yet.")
      .applied_on = AppliedOn::service_restart;
  if (service.model.work != WorkKind::connections && !service.model.command) return;
  settings.list(
      "proxy-from", service.proxy.from,
      "At a listener with ',proxy': from whom a PROXY header is believed. Networks as 10.0.0.0/8 or "
      "fd00::/8, addresses, and 'unix' for processes at a unix socket, with blanks between. Other "
      "connections are closed.");
  settings.duration("proxy-timeout", service.proxy.timeout, milliseconds(1), std::chrono::minutes(1),
                    "How long after its begin a connection at such a listener is closed if its PROXY header "
                    "has not come.");
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
  settings.duration("max-lifetime-per-child", limits.max_lifetime_per_child, milliseconds(0), longest,
                    "Replace a child that is older than this. 0: never.");
  settings.size(
      "max-memory-per-child", limits.max_memory_per_child, 0, largest,
      "Replace a child that has more memory of its own than this when it has finished a connection. "
      "What it shares with the parent and its siblings does not count. 0: never.");
}

// Of a child that does several things at once.
void add_concurrency_settings(Settings& settings, ServiceConfiguration& service) {
  const ChildModel& model = service.model;
  if (!model.threads && !model.many_connections) return;
  settings.section("Inside a child");
  if (model.threads)
    settings.text("threads-per-child", service.threads_per_child,
                  "How many handlers run at once in a child: a number from 1 to 1024, 'cpu' for one more "
                  "than the number of CPUs that it may use, also by its cgroup, if handlers compute, or 'io' "
                  "for twice that number plus one, if "
                  "they wait. Above 1 the program must declare that its handlers are thread-safe.");
  if (!model.many_connections) return;
  settings.number("max-connections-per-child", service.limits.max_connections_per_child, 1, most_connections,
                  "How many connections a child has at once. A child with fewer is a spare.");
  settings.duration("connection-idle-timeout", service.limits.connection_idle_timeout, milliseconds(0),
                    longest,
                    "Close a connection on which nothing is read or written for this time. 0: no limit.");
}

void add_time_settings(Settings& settings, ServiceConfiguration& service) {
  Limits& limits = service.limits;
  settings.section("Time limits");
  if (service.model.work == WorkKind::connections || service.model.work == WorkKind::any) {
    settings.duration(
        "read-timeout", service.socket.read_timeout, milliseconds(0), longest,
        "How long a handler that waits may wait for input of a TCP client, unless it sets a time itself or "
        "there is a connection-timeout. An idle child with one listener wakes once in this time. 0: no "
        "limit.");
    settings.duration("write-timeout", service.socket.write_timeout, milliseconds(0), longest,
                      "The same for a TCP client that takes no output. Idle children do not wake for it. "
                      "Code that writes to "
                      "the descriptor of a connection itself gets EAGAIN. 0: no limit.");
    settings.duration(
        "first-byte-timeout", limits.first_byte_timeout, milliseconds(0), longest,
        "How long a client may send nothing at all after it was accepted, while a handler waits for it. Then "
        "it is disconnected. Programs that get a connection have no such limit. 0: no limit.");
    settings.duration(
        "overload-read-timeout", limits.overload_read_timeout, milliseconds(0), longest,
        "While max-clients children are busy and connections wait: how long a client may keep a handler "
        "waiting for input, since it was last answered. The more wait, the shorter it is: half if one "
        "waits for 32 children, a thirty-third if as many wait as there are children. Each KiB of input "
        "gives the client that time again. The clients "
        "over it for longest are disconnected, as many as wait. 0: no limit.");
  }
  settings.duration("graceful-timeout", limits.graceful_timeout, milliseconds(0), longest,
                    "How long open connections may go on after SIGTERM before they are killed. 0: no limit.");
  settings.duration(
      "idle-timeout", limits.idle_timeout, milliseconds(0), longest,
      "Children that were not needed during all of this time are told to leave, down to min-spare-servers. "
      "0: none.");
  settings.duration(
      "connection-timeout", limits.connection_timeout, milliseconds(0), longest,
      "How long a connection may last. Then its reads and writes fail in the handler, which may "
      "extend the time, and a child with many connections closes it. A child that still serves it 5 "
      "seconds later gets SIGABRT, 5 seconds later SIGKILL, and is replaced; the log says what it was "
      "serving. 0: no limit. It must be longer than every timeout of the handler.");
  settings.duration(
      "slow-timeout", limits.slow_timeout, milliseconds(0), longest,
      "A connection that lasts longer is slow: the log has, once, whom its child serves and where in its "
      "code it is, with functions and lines. The child goes on. Six of a service in a minute at most; more "
      "are counted. 0: none is slow.");
  settings.duration("leave-timeout", limits.leave_timeout, milliseconds(1), longest,
                    "How long a child without open connections may take to leave after it was told to. After "
                    "that it gets SIGABRT, and 5 seconds later SIGKILL.");
  settings.duration("detach-timeout", limits.detach_timeout, milliseconds(1), longest,
                    "How long a child may live after it has given its slot back. After that it gets SIGABRT, "
                    "and 5 seconds later SIGKILL. The program decides whether its children do this.");
}

void add_status_settings(Settings& settings, StatusSettings& status) {
  settings.section("When broodctl status warns");
  settings.number("failed-warning", status.failed_warning, 0, 100,
                  "A warning if so many percent of the connections of the last minute failed: their handler "
                  "ended by an exception, a time limit or the end of its child. Fewer than three are no "
                  "reason. 0: never.");
  settings.number("failed-critical", status.failed_critical, 0, 100,
                  "So many percent are critical. 0: never.");
  settings.duration("wait-warning", status.wait_warning, milliseconds(0), longest,
                    "A warning if a connection of the last minute waited for so long until a child took it. "
                    "0: never.");
  settings.duration("wait-critical", status.wait_critical, milliseconds(0), longest,
                    "Such a wait is critical. 0: never.");
  settings.section("Figures in the log");
  settings.duration("figures-interval", status.figures_interval, milliseconds(0), longest,
                    "How often the log has a line with the figures of the service, at level info: its "
                    "children, its queue, and the connections since the last line. Once nothing has happened "
                    "in this time, there is no line until something happens. At least a second. 0: never.");
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

// "", "unlimited", or what `type` reads.
SettingType<ResourceLimit> limit_type(const std::string& kind, std::uint64_t highest, bool size) {
  return {.kind = kind + ", 'unlimited' or empty",
          .read = [highest, size](const std::string& word) -> ResourceLimit {
            if (word.empty()) return {};
            if (word == "unlimited") return no_resource_limit;
            if (size) return parse_size(word, 0, highest);
            return type_between(0U, static_cast<unsigned>(highest)).read(word);
          },
          .write = [size](const ResourceLimit& limit) -> std::string {
            if (!limit) return "";
            if (*limit == no_resource_limit) return "unlimited";
            return size ? write_size(*limit) : std::to_string(*limit);
          }};
}

void add_process_settings(Settings& settings, ProcessSettings& process) {
  settings.section("Processes of children");
  settings.list(
      "environment", process.environment,
      "A variable, NAME=VALUE, of the environment of children. Those of a user with an account also "
      "have its HOME, USER, LOGNAME and SHELL.");
  settings.list(
      "pass-environment", process.pass_environment,
      "The name of a variable of the parent's environment that children have. If none is given, they "
      "have all but those with settings.");
  settings.path("working-directory", process.working_directory,
                "The directory in which children run. Empty: that of the parent.");
  settings.path(
      "chroot", process.root_directory,
      "The root directory of children. It must have all that they open. Empty: that of the parent.");
  settings.text("umask", process.umask, "The umask of children, in octal. Empty: that of the parent.");
  settings.integer(
      "nice", process.nice, -40, 40,
      "What is added to the nice value of the parent. Below 0 needs a parent that runs as root.");
  settings.text("cpus", process.cpus, "The CPUs that children run on, as 0-3,7. Empty: those of the parent.");
  settings.value("limit-open-files", process.open_files, limit_type("number", 1U << 30U, false),
                 "How many descriptors a child may have open. Empty: as many as the parent.");
  settings.value("limit-memory", process.memory, limit_type("size", largest, true),
                 "How much address space a child may have: more is refused to it. See also "
                 "max-memory-per-child. Empty: as much as the parent.");
  settings.value("limit-cpu", process.cpu_time, limit_type("seconds", 1U << 30U, false),
                 "How much CPU time a child may use; then it is killed. Empty: as much as the parent.");
  settings.value(
      "limit-core", process.core, limit_type("size", largest, true),
      "How large a core dump of a child may be. Above 0 it is also possible after a change of user. "
      "Empty: as the parent's.");
  settings.flag("process-titles", process.titles,
                "Whether ps shows what each child does, as 'echo: idle' and 'echo: busy GET /x', instead of "
                "its command line. Programs that are executed write their own.");
}

void add_sandbox_settings(Settings& settings, SandboxSettings& sandbox) {
  settings.section("What children may ask the kernel for");
  settings.choice(
      "sandbox", sandbox.mode,
      {{"off", SandboxMode::off}, {"log", SandboxMode::log}, {"on", SandboxMode::on}},
      "Whether a child, and what it executes, can make only the system calls that its child model "
      "needs and those of sandbox-allow. 'on': others fail with EPERM, and the parent logs their "
      "names; 'log': they are only logged. Children have no-new-privileges then.");
  std::string groups;
  for (const auto& group : call_groups()) groups += text("; ", group.name, ": ", group.what);
  settings.list(
      "sandbox-allow", sandbox.allow,
      "System calls that the sandbox allows also, with blanks between: groups, or names of calls as "
      "in section 2 of the manual" +
          groups + ".");
  settings.list(
      "sandbox-read", sandbox.read,
      "Files and directories, with blanks between, that children can read and execute, with all "
      "that is below. If there are any here or in sandbox-write, they can open no others. Only with "
      "sandbox = on, and if the kernel has Landlock.");
  settings.list("sandbox-write", sandbox.write,
                "The same for those in which children can also write, create and remove files.");
}

void add_output_settings(Settings& settings, bool& log_output) {
  settings.section("What children write");
  settings.flag(
      "log-output", log_output,
      "Whether the parent logs what children, and the programs that they run, write to standard "
      "error, and to standard output if that is not the connection: line by line, with the pid, at "
      "most 1,000 lines in 10 seconds and 2,048 bytes of a line. Nobody ever waits for the log: what "
      "is written too fast is lost. If not, they write to where the parent does.");
}

void add_access_log_settings(Settings& settings, AccessLogSettings& access_log) {
  settings.section("Connections that have ended");
  settings.path(
      "access-log", access_log.path,
      "A file to which children append a line for each connection that has ended: when, which "
      "child, peer, listener, note, how long it waited and lasted, bytes, outcome. Programs that take the "
      "listeners have none. Empty: none.");
  settings.choice("access-log-format", access_log.format,
                  {{"keys", AccessLogFormat::keys}, {"json", AccessLogFormat::json}},
                  "Whether a line is KEY=VALUE pairs or a JSON object.");
}

void add_identity_settings(Settings& settings, ServiceConfiguration& service) {
  settings.section("User and group");
  settings
      .text("user", service.user,
            "The user that children run as, by name or number. Empty: the user of the parent.")
      .applied_on = AppliedOn::service_restart;
  settings.text("group", service.group, "The group that children run as. Empty: the group of the user.")
      .applied_on = AppliedOn::service_restart;
  settings.flag("no-new-privileges", service.no_new_privileges,
                "Whether children that are not root, and what they execute, are kept from new privileges, as "
                "set-user-ID programs like sudo give them.");
  settings.flag("allow-root", service.allow_root,
                "Whether it is right that children run as root. If not, there is a warning when they do.");
}

}  // namespace

ServiceConfiguration::ServiceConfiguration(std::string its_name, const ChildModel& its_model,
                                           bool is_thread_safe)
    : name(std::move(its_name)), model(its_model), thread_safe(is_thread_safe) {
  if (model.work == WorkKind::connections && !model.command) socket.write_timeout = std::chrono::minutes(1);
  if (model.many_connections) {
    limits.max_connections_per_child = 1000;
    limits.connection_idle_timeout = std::chrono::minutes(1);
  }
  if (model.work == WorkKind::triggers) listen = {"timer:30s"};
  if (model.work == WorkKind::datagrams) listen = {"udp:127.0.0.1:8000"};
}

void add_service_settings(Settings& settings, ServiceConfiguration& service) {
  settings.of_kit(true);
  add_listen_settings(settings, service);
  if (service.model.command) add_service_command_settings(settings, service.command);
  add_admission_settings(settings, service.admission);
  add_pool_settings(settings, service.limits);
  add_concurrency_settings(settings, service);
  add_time_settings(settings, service);
  add_status_settings(settings, service.status);
  add_failure_settings(settings, service.on_failure);
  add_output_settings(settings, service.log_output);
  add_access_log_settings(settings, service.access_log);
  add_process_settings(settings, service.process);
  add_identity_settings(settings, service);
  add_sandbox_settings(settings, service.sandbox);
}

}  // namespace brood
