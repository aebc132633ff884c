// SPDX-License-Identifier: MIT
#include "base/sandbox/call_groups.hpp"

#include <algorithm>
#include <array>

namespace brood {
namespace {

using std::string_view_literals::operator""sv;

// Not std::array without its type: g++ 12 puts such a table between the variables, as if it could change.

// What the kit does in any child model, what the C library does by itself (memory, threads, name look-ups,
// messages, crashes), and what reads and cannot change anything outside of the process. `socket` and `clone`
// are here with some arguments only.
constexpr std::string_view base_set[] = {
    // memory
    "brk"sv, "mmap"sv, "mmap2"sv, "munmap"sv, "mprotect"sv, "mremap"sv, "madvise"sv, "mlock"sv, "mlock2"sv,
    "munlock"sv, "mincore"sv, "msync"sv, "membarrier"sv, "memfd_create"sv, "pkey_alloc"sv, "pkey_free"sv,
    "pkey_mprotect"sv, "get_mempolicy"sv, "arch_prctl"sv, "set_thread_area"sv,
    // threads and time
    "clone"sv, "exit"sv, "exit_group"sv, "futex"sv, "futex_time64"sv, "futex_waitv"sv, "get_robust_list"sv,
    "set_robust_list"sv, "set_tid_address"sv, "rseq"sv, "sched_yield"sv, "sched_getaffinity"sv,
    "sched_getparam"sv, "sched_getscheduler"sv, "sched_getattr"sv, "sched_get_priority_max"sv,
    "sched_get_priority_min"sv, "sched_rr_get_interval"sv, "getcpu"sv, "getpriority"sv, "clock_gettime"sv,
    "clock_gettime64"sv, "clock_getres"sv, "clock_getres_time64"sv, "clock_nanosleep"sv,
    "clock_nanosleep_time64"sv, "gettimeofday"sv, "time"sv, "nanosleep"sv, "times"sv, "alarm"sv,
    "getitimer"sv, "setitimer"sv, "timer_create"sv, "timer_delete"sv, "timer_getoverrun"sv, "timer_gettime"sv,
    "timer_gettime64"sv, "timer_settime"sv, "timer_settime64"sv, "pause"sv,
    // signals of its own, and crashes
    "rt_sigaction"sv, "rt_sigpending"sv, "rt_sigprocmask"sv, "rt_sigreturn"sv, "rt_sigsuspend"sv,
    "rt_sigtimedwait"sv, "rt_sigtimedwait_time64"sv, "sigaction"sv, "sigprocmask"sv, "sigreturn"sv,
    "sigaltstack"sv, "restart_syscall"sv, "tgkill"sv, "wait4"sv, "waitid"sv, "waitpid"sv,
    // what the process is
    "getpid"sv, "gettid"sv, "getppid"sv, "getpgid"sv, "getpgrp"sv, "getsid"sv, "getuid"sv, "getuid32"sv,
    "geteuid"sv, "geteuid32"sv, "getgid"sv, "getgid32"sv, "getegid"sv, "getegid32"sv, "getresuid"sv,
    "getresuid32"sv, "getresgid"sv, "getresgid32"sv, "getgroups"sv, "getgroups32"sv, "capget"sv, "prctl"sv,
    "getrlimit"sv, "ugetrlimit"sv, "setrlimit"sv, "prlimit64"sv, "getrusage"sv, "sysinfo"sv, "uname"sv,
    "getrandom"sv, "umask"sv,
    // it may restrict itself further
    "seccomp"sv, "landlock_create_ruleset"sv, "landlock_add_rule"sv, "landlock_restrict_self"sv,
    // files: to open them, and what has been opened
    "open"sv, "openat"sv, "openat2"sv, "access"sv, "faccessat"sv, "faccessat2"sv, "stat"sv, "stat64"sv,
    "lstat"sv, "lstat64"sv, "newfstatat"sv, "fstatat64"sv, "statx"sv, "fstat"sv, "fstat64"sv, "statfs"sv,
    "statfs64"sv, "fstatfs"sv, "fstatfs64"sv, "readlink"sv, "readlinkat"sv, "getdents"sv, "getdents64"sv,
    "getcwd"sv, "chdir"sv, "fchdir"sv, "read"sv, "readv"sv, "pread64"sv, "preadv"sv, "preadv2"sv, "write"sv,
    "writev"sv, "pwrite64"sv, "pwritev"sv, "pwritev2"sv, "lseek"sv, "_llseek"sv, "readahead"sv, "ftruncate"sv,
    "ftruncate64"sv, "fallocate"sv, "fadvise64"sv, "fadvise64_64"sv, "fsync"sv, "fdatasync"sv,
    "sync_file_range"sv, "copy_file_range"sv, "sendfile"sv, "sendfile64"sv, "splice"sv, "tee"sv, "vmsplice"sv,
    "flock"sv, "fcntl"sv, "fcntl64"sv, "ioctl"sv, "dup"sv, "dup2"sv, "dup3"sv, "close"sv, "close_range"sv,
    "pipe"sv, "pipe2"sv,
    // to wait for descriptors
    "poll"sv, "ppoll"sv, "ppoll_time64"sv, "select"sv, "_newselect"sv, "pselect6"sv, "pselect6_time64"sv,
    "epoll_create"sv, "epoll_create1"sv, "epoll_ctl"sv, "epoll_wait"sv, "epoll_pwait"sv, "epoll_pwait2"sv,
    "eventfd"sv, "eventfd2"sv, "signalfd"sv, "signalfd4"sv, "timerfd_create"sv, "timerfd_gettime"sv,
    "timerfd_gettime64"sv, "timerfd_settime"sv, "timerfd_settime64"sv,
    // sockets
    "socket"sv, "socketpair"sv, "connect"sv, "bind"sv, "listen"sv, "accept"sv, "accept4"sv, "shutdown"sv,
    "getsockname"sv, "getpeername"sv, "getsockopt"sv, "setsockopt"sv, "recv"sv, "recvfrom"sv, "recvmsg"sv,
    "recvmmsg"sv, "recvmmsg_time64"sv, "send"sv, "sendto"sv, "sendmsg"sv, "sendmmsg"sv};

constexpr std::string_view file_calls[] = {"creat"sv,
                                           "mkdir"sv,
                                           "mkdirat"sv,
                                           "rmdir"sv,
                                           "unlink"sv,
                                           "unlinkat"sv,
                                           "rename"sv,
                                           "renameat"sv,
                                           "renameat2"sv,
                                           "link"sv,
                                           "linkat"sv,
                                           "symlink"sv,
                                           "symlinkat"sv,
                                           "mknod"sv,
                                           "mknodat"sv,
                                           "chmod"sv,
                                           "fchmod"sv,
                                           "fchmodat"sv,
                                           "chown"sv,
                                           "chown32"sv,
                                           "lchown"sv,
                                           "lchown32"sv,
                                           "fchown"sv,
                                           "fchown32"sv,
                                           "fchownat"sv,
                                           "truncate"sv,
                                           "truncate64"sv,
                                           "utime"sv,
                                           "utimes"sv,
                                           "utimensat"sv,
                                           "utimensat_time64"sv,
                                           "futimesat"sv,
                                           "getxattr"sv,
                                           "lgetxattr"sv,
                                           "fgetxattr"sv,
                                           "listxattr"sv,
                                           "llistxattr"sv,
                                           "flistxattr"sv,
                                           "setxattr"sv,
                                           "lsetxattr"sv,
                                           "fsetxattr"sv,
                                           "removexattr"sv,
                                           "lremovexattr"sv,
                                           "fremovexattr"sv,
                                           "sync"sv,
                                           "syncfs"sv,
                                           "inotify_init"sv,
                                           "inotify_init1"sv,
                                           "inotify_add_watch"sv,
                                           "inotify_rm_watch"sv,
                                           "name_to_handle_at"sv};

constexpr std::string_view network_calls[] = {"socket"sv};

constexpr std::string_view process_calls[] = {"execve"sv,
                                              "execveat"sv,
                                              "fork"sv,
                                              "vfork"sv,
                                              "clone"sv,
                                              "kill"sv,
                                              "tkill"sv,
                                              "rt_sigqueueinfo"sv,
                                              "rt_tgsigqueueinfo"sv,
                                              "pidfd_open"sv,
                                              "pidfd_send_signal"sv,
                                              "setpgid"sv,
                                              "setsid"sv};

constexpr std::string_view identity_calls[] = {"setuid"sv,    "setuid32"sv,    "setgid"sv,    "setgid32"sv,
                                               "setreuid"sv,  "setreuid32"sv,  "setregid"sv,  "setregid32"sv,
                                               "setresuid"sv, "setresuid32"sv, "setresgid"sv, "setresgid32"sv,
                                               "setgroups"sv, "setgroups32"sv, "setfsuid"sv,  "setfsuid32"sv,
                                               "setfsgid"sv,  "setfsgid32"sv,  "capset"sv,    "chroot"sv};

constexpr std::string_view scheduling_calls[] = {
    "nice"sv,          "setpriority"sv,    "sched_setaffinity"sv,
    "sched_setattr"sv, "sched_setparam"sv, "sched_setscheduler"sv,
    "ioprio_get"sv,    "ioprio_set"sv,     "set_mempolicy"sv,
    "mbind"sv,         "move_pages"sv,     "migrate_pages"sv,
    "mlockall"sv,      "munlockall"sv};

constexpr std::string_view ipc_calls[] = {"ipc"sv,
                                          "shmget"sv,
                                          "shmat"sv,
                                          "shmdt"sv,
                                          "shmctl"sv,
                                          "semget"sv,
                                          "semop"sv,
                                          "semtimedop"sv,
                                          "semtimedop_time64"sv,
                                          "semctl"sv,
                                          "msgget"sv,
                                          "msgsnd"sv,
                                          "msgrcv"sv,
                                          "msgctl"sv,
                                          "mq_open"sv,
                                          "mq_unlink"sv,
                                          "mq_timedsend"sv,
                                          "mq_timedsend_time64"sv,
                                          "mq_timedreceive"sv,
                                          "mq_timedreceive_time64"sv,
                                          "mq_notify"sv,
                                          "mq_getsetattr"sv};

constexpr std::string_view asynchronous_calls[] = {
    "io_uring_setup"sv, "io_uring_enter"sv,      "io_uring_register"sv, "io_setup"sv,
    "io_destroy"sv,     "io_submit"sv,           "io_cancel"sv,         "io_getevents"sv,
    "io_pgetevents"sv,  "io_pgetevents_time64"sv};

constexpr std::string_view debug_calls[] = {
    "ptrace"sv, "process_vm_readv"sv, "process_vm_writev"sv, "pidfd_getfd"sv,
    "kcmp"sv,   "perf_event_open"sv,  "personality"sv,       "userfaultfd"sv};

constexpr std::array<CallGroup, 8> groups = {{
    {"@files", "to create, remove and rename files and directories, change whose they are, and watch them",
     file_calls},
    {"@network", "sockets of TCP and other protocols over IP: clients of other servers", network_calls},
    {"@processes", "to execute programs, make processes and send them signals", process_calls},
    {"@identity", "to become another user or group, or have another root directory", identity_calls},
    {"@scheduling", "priorities, the choice of CPUs and of memory", scheduling_calls},
    {"@ipc", "shared memory, semaphores and queues of System V, and queues of POSIX", ipc_calls},
    {"@aio", "io_uring, whose operations no sandbox sees, and Linux AIO", asynchronous_calls},
    {"@debug", "to look into other processes", debug_calls},
}};

}  // namespace

std::span<const std::string_view> base_calls() { return base_set; }
std::span<const CallGroup> call_groups() { return groups; }

const CallGroup* find_group(std::string_view name) {
  const auto found = std::ranges::find(groups, name, &CallGroup::name);
  return found == groups.end() ? nullptr : &*found;
}

std::string_view allowed_by(std::string_view call) {
  for (const auto& group : groups)
    if (std::ranges::find(group.calls, call) != group.calls.end()) return group.name;
  return call;
}

}  // namespace brood
