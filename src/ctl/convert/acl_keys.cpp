// SPDX-License-Identifier: MIT
#include "ctl/convert/acl_keys.hpp"

#include <array>

namespace brood::ctl {
namespace {

constexpr auto no_exchange = "parent and children exchange no messages";
constexpr auto no_tick = "the parent has no tick";
constexpr auto by_graceful = "open connections are finished, within graceful-timeout";
constexpr auto buffers = "the handler chooses its buffers";
constexpr auto events = "epoll is always used";
constexpr auto monitor = "use a monitor that reads broodctl status --json";

constexpr std::array main_keys = {
    KeyRule{"default_process_limit", KeyForm::count, "max-clients", ""},
    KeyRule{"process_name", KeyForm::as_written, "name", ""},
    KeyRule{"log_file", KeyForm::as_written, "log", ""},
    KeyRule{"pid_file", KeyForm::as_written, "pid-file", ""},
    KeyRule{"daemon_directory", KeyForm::used, "", ""},
    KeyRule{"queue_directory", KeyForm::used, "", ""},
    KeyRule{"service_directory", KeyForm::nothing, "", "it is the argument of brood --config-directory"},
    KeyRule{"service_file", KeyForm::lost, "", "a service is in the directory, or not"},
    KeyRule{"scan_subdir", KeyForm::nothing, "", "there is one directory"},
    KeyRule{"file_exts", KeyForm::nothing, "", "the files of services are named *.conf"},
    KeyRule{"owner_user", KeyForm::nothing, "", "the parent runs as who starts it"},
    KeyRule{"master_owner", KeyForm::nothing, "", "the parent runs as who starts it"},
    KeyRule{"owner_group", KeyForm::nothing, "", "the parent runs as who starts it"},
    KeyRule{"waiting_on_stop", KeyForm::nothing, "", by_graceful},
    KeyRule{"stop_kill", KeyForm::nothing, "", by_graceful},
    KeyRule{"service_throttle_time", KeyForm::nothing, "", "the delay grows from 1 to 60 seconds"},
    KeyRule{"buf_size", KeyForm::nothing, "", no_exchange},
    KeyRule{"rw_timeout", KeyForm::nothing, "", no_exchange},
    KeyRule{"reload_timeout", KeyForm::nothing, "", "broodctl reload waits for the outcome"},
    KeyRule{"start_timeout", KeyForm::nothing, "", "a child has a minute for its start"},
    KeyRule{"event_delay_sec", KeyForm::nothing, "", no_tick},
    KeyRule{"event_delay_usec", KeyForm::nothing, "", no_tick},
    KeyRule{"manage_addr", KeyForm::nothing, "", "the control socket is in runtime-directory"},
    KeyRule{"master_notify_addr", KeyForm::lost, "", "use on-failure, a command", "no"},
    KeyRule{"inet_interfaces", KeyForm::lost, "", "give the addresses in listen", "all"},
    KeyRule{"limit_privilege", KeyForm::lost, "", "use user"},
    KeyRule{"in_flow_delay", KeyForm::lost, "", "a lower max-clients lets clients wait"},
    KeyRule{"daemon_timeout", KeyForm::nothing, "", "acl_master does not read it"},
    KeyRule{"max_use", KeyForm::nothing, "", "acl_master does not read it"},
    KeyRule{"max_idle", KeyForm::nothing, "", "acl_master does not read it"},
};

constexpr std::array service_keys = {
    KeyRule{"master_disable", KeyForm::used, "", ""},
    KeyRule{"master_service", KeyForm::used, "", ""},
    KeyRule{"master_type", KeyForm::used, "", ""},
    KeyRule{"master_private", KeyForm::used, "", ""},
    KeyRule{"master_unpriv", KeyForm::used, "", ""},
    KeyRule{"master_owner", KeyForm::used, "", ""},
    KeyRule{"master_wakeup", KeyForm::used, "", ""},
    KeyRule{"master_maxproc", KeyForm::used, "", ""},
    KeyRule{"master_prefork", KeyForm::used, "", ""},
    KeyRule{"master_command", KeyForm::used, "", ""},
    KeyRule{"master_cmdext", KeyForm::used, "", ""},
    KeyRule{"master_args", KeyForm::used, "", ""},
    KeyRule{"master_env", KeyForm::used, "", ""},
    KeyRule{"master_envs", KeyForm::used, "", ""},
    KeyRule{"master_home", KeyForm::used, "", ""},
    KeyRule{"master_backlog", KeyForm::count, "listen-backlog", ""},
    KeyRule{"master_chroot", KeyForm::lost, "",
            "chroot changes the root before the program is started: set it if the program and all that it "
            "opens are there"},
    KeyRule{"master_log", KeyForm::as_written, "log", ""},
    KeyRule{"master_stdout", KeyForm::lost, "", "what a program writes is in the log of its service"},
    KeyRule{"master_stderr", KeyForm::lost, "", "what a program writes is in the log of its service"},
    KeyRule{"master_debug", KeyForm::lost, "", "use log-level"},
    KeyRule{"master_debug_max", KeyForm::nothing, "", "it is about master_debug"},
    KeyRule{"master_notify_addr", KeyForm::lost, "", "use on-failure, a command"},
    KeyRule{"master_notify_recipients", KeyForm::lost, "",
            "use on-failure, with the recipients as its arguments"},
    KeyRule{"master_stop_kill", KeyForm::nothing, "", by_graceful},
    KeyRule{"master_stop_wait", KeyForm::nothing, "", by_graceful},
    KeyRule{"master_defer_accept", KeyForm::seconds, "tcp-defer-accept", ""},
    KeyRule{"master_fastopen", KeyForm::lost, "", "no setting of a listener does this"},
    KeyRule{"master_reuseport", KeyForm::lost, "", "all children share one listener"},
    KeyRule{"master_reuseport_listen", KeyForm::nothing, "", "all children share one listener"},
    KeyRule{"master_nonblock", KeyForm::nothing, "", "each child model sets it as it needs"},
    KeyRule{"master_status_notify", KeyForm::nothing, "", "children are seen in the scoreboard"},
    KeyRule{"master_version", KeyForm::nothing, "", "a program has --version"},
    KeyRule{"master_check_fds", KeyForm::lost, "", monitor},
    KeyRule{"master_check_mem", KeyForm::lost, "", monitor},
    KeyRule{"master_check_cpu", KeyForm::lost, "", monitor},
    KeyRule{"master_check_io", KeyForm::lost, "", monitor},
    KeyRule{"master_check_limits", KeyForm::lost, "", monitor},
    KeyRule{"master_check_net", KeyForm::lost, "", monitor},
    KeyRule{"master_deny_info", KeyForm::used, "", ""},
    KeyRule{"master_multicast_addr", KeyForm::lost, "", "write it as listen = udp:GROUP:PORT%INTERFACE"},
    KeyRule{"master_multicase_loopback", KeyForm::nothing, "", "it is about master_multicast_addr"},
};

constexpr std::array framework_keys = {
    KeyRule{"use_limit", KeyForm::count, "max-requests-per-child", ""},
    KeyRule{"idle_limit", KeyForm::seconds, "idle-timeout", ""},
    KeyRule{"rw_timeout", KeyForm::used, "", ""},
    KeyRule{"daemon_timeout", KeyForm::seconds, "connection-timeout", ""},
    KeyRule{"owner", KeyForm::used, "", ""},
    KeyRule{"queue_dir", KeyForm::used, "", ""},
    KeyRule{"max_threads", KeyForm::used, "", ""},
    KeyRule{"enable_core", KeyForm::used, "", ""},
    KeyRule{"core_limit", KeyForm::used, "", ""},
    KeyRule{"access_allow", KeyForm::used, "", ""},
    KeyRule{"deny_banner", KeyForm::used, "", ""},
    KeyRule{"disable_core_onexit", KeyForm::nothing, "", "a child that leaves makes no core dump"},
    KeyRule{"pid_dir", KeyForm::nothing, "", "broodctl status shows the pids"},
    KeyRule{"buf_size", KeyForm::nothing, "", buffers},
    KeyRule{"bufsize", KeyForm::nothing, "", buffers},
    KeyRule{"max_accept", KeyForm::nothing, "", "each child model accepts as many as it has room for"},
    KeyRule{"accept_alone", KeyForm::nothing, "", "each child accepts for itself"},
    KeyRule{"accept_timer", KeyForm::nothing, "", "each child accepts for itself"},
    KeyRule{"min_notify", KeyForm::nothing, "", "children are seen in the scoreboard"},
    KeyRule{"enable_dog", KeyForm::nothing, "", events},
    KeyRule{"delay_sec", KeyForm::nothing, "", events},
    KeyRule{"delay_usec", KeyForm::nothing, "", events},
    KeyRule{"event_mode", KeyForm::nothing, "", events},
    KeyRule{"schedule_event", KeyForm::nothing, "", events},
    KeyRule{"check_inter", KeyForm::nothing, "", events},
    KeyRule{"batadd", KeyForm::nothing, "", "there is no queue between threads"},
    KeyRule{"schedule_wait", KeyForm::nothing, "", "there is no queue between threads"},
    KeyRule{"schedule_warn", KeyForm::nothing, "", "the log says when connections wait"},
    KeyRule{"qlen_warn", KeyForm::nothing, "", "the log says when connections wait"},
    KeyRule{"stacksize", KeyForm::lost, "", "threads have the stack that ulimit -s gives them"},
    KeyRule{"stack_size", KeyForm::nothing, "", "coroutines have no stack of their own"},
    KeyRule{"share_stack", KeyForm::nothing, "", "coroutines have no stack of their own"},
    KeyRule{"thread_idle_limit", KeyForm::nothing, "", "threads end with their child"},
    KeyRule{"quick_abort", KeyForm::nothing, "", "open connections are finished, within graceful-timeout"},
    KeyRule{"dispatch_addr", KeyForm::lost, "", "brood takes no connections from master_dispatch"},
    KeyRule{"dispatch_type", KeyForm::nothing, "", "it is about dispatch_addr"},
    KeyRule{"in_flow_delay", KeyForm::lost, "", "a lower max-clients lets clients wait"},
    KeyRule{"threads", KeyForm::lost, "", "use more children", "1"},
    KeyRule{"threads_detached", KeyForm::nothing, "", "it is about udp_threads"},
    KeyRule{"fatal_on_bind_error", KeyForm::nothing, "", "the parent binds, and reports what fails"},
    KeyRule{"monitor_netlink", KeyForm::lost, "", "a reload opens the addresses that are new"},
    KeyRule{"wait_limit", KeyForm::nothing, "", "children leave when they are not needed"},
    KeyRule{"hook_log", KeyForm::nothing, "", "it is about coroutines of acl"},
    KeyRule{"log_debug", KeyForm::lost, "", "use log-level"},
    KeyRule{"max_debug", KeyForm::nothing, "", "it is about log_debug"},
};

}  // namespace

std::span<const KeyRule> acl_main_keys() { return main_keys; }
std::span<const KeyRule> acl_service_keys() { return service_keys; }
std::span<const KeyRule> acl_framework_keys() { return framework_keys; }

}  // namespace brood::ctl
