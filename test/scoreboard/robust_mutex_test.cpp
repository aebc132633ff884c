// SPDX-License-Identifier: MIT
// The lock between processes: holders that are killed, stopped or executed away, and nonsense in its word.
#include "scoreboard/lock/robust_mutex.hpp"

#include <doctest/doctest.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "forked.hpp"

using namespace brood;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;  // a deadline, not a measure

struct Region {
  RobustMutex mutex;
  std::atomic<pid_t> inside{0};  // guarded by the mutex: who is in it
  std::atomic<unsigned> faults{0};
  std::atomic<unsigned> deaths{0};  // of holders, as the next one was told
};

class Memory {
 public:
  Memory() : at_(::mmap(nullptr, sizeof(Region), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    REQUIRE(at_ != MAP_FAILED);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::munmap(at_, sizeof(Region)); }
  Region* operator->() const { return static_cast<Region*>(at_); }

  Locked lock_and_unlock() const {
    const RobustLock lock((*this)->mutex, Clock::now() + patience);
    return lock.result();
  }
  // What another process may write over the mutex.
  void write(std::uint32_t word, std::uint32_t number) const {
    const std::array<std::uint32_t, 2> words = {word, number};
    static_assert(sizeof words == sizeof(RobustMutex));
    std::memcpy(at_, words.data(), sizeof words);
  }

 private:
  void* at_;
};

// Holds the mutex for ever, in this thread: nothing destroys the lock.
void hold(const Memory& memory) {
  alignas(RobustLock) thread_local std::array<std::byte, sizeof(RobustLock)> place;
  ::new (place.data()) RobustLock(memory->mutex, never);
}

// Whoever finds somebody inside must have been told that the last holder died.
void enter_and_leave(const Memory& memory, Time deadline = never) {
  const RobustLock lock(memory->mutex, deadline);
  if (lock.result() == Locked::no) ++memory->faults;
  if (lock.result() == Locked::owner_died) ++memory->deaths;
  const pid_t before = memory->inside.exchange(::getpid(), std::memory_order_relaxed);
  if (before != 0 && lock.result() != Locked::owner_died) ++memory->faults;
  if (memory->inside.exchange(0, std::memory_order_relaxed) != ::getpid()) ++memory->faults;
}

[[noreturn]] void enter_and_leave_for_ever(const Memory& memory) {
  for (;;) enter_and_leave(memory);
}

// A holder and two others that wait for it, asleep.
struct Queue {
  std::array<pid_t, 3> all{};

  explicit Queue(const Memory& memory) {
    const Told held;
    all[0] = forked([&] {
      hold(memory);
      held.tell();
      ::pause();
    });
    held.wait();
    for (std::size_t i = 1; i < all.size(); ++i) all[i] = forked([&] { enter_and_leave_for_ever(memory); });
  }
};

// A control group of version 2 or 1 in which a process may use so many bytes.
class MemoryGroup {
 public:
  static constexpr std::size_t limit = 16 << 20;

  MemoryGroup() {
    for (const auto& [root, file] : {std::pair{"/sys/fs/cgroup/", "memory.max"},
                                     std::pair{"/sys/fs/cgroup/memory/", "memory.limit_in_bytes"}}) {
      path_ = root + std::string("brood-test-") + std::to_string(::getpid());
      if (::mkdir(path_.c_str(), 0755) != 0) continue;
      usable_ = write(file, std::to_string(limit));
      write("memory.swap.max", "0");
      if (usable_) return;
      ::rmdir(path_.c_str());
    }
  }
  ~MemoryGroup() {
    if (usable_) ::rmdir(path_.c_str());
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  bool usable() const { return usable_; }
  bool enter() const { return write("cgroup.procs", std::to_string(::getpid())); }

 private:
  bool write(const char* file, const std::string& value) const {
    std::fstream to(path_ + "/" + file, std::ios::in | std::ios::out);  // creates no file
    to << value << std::flush;
    return to.good();
  }
  std::string path_;
  bool usable_ = false;
};

}  // namespace

TEST_CASE("10,000 kills at random moments: the next one gets the lock every time, and knows of the death" *
          doctest::test_suite("slow")) {
  const Memory memory;
  std::minstd_rand random(1);
#ifdef __SANITIZE_ADDRESS__
  constexpr unsigned most = 2'000;  // fork() takes many times as long
#else
  constexpr unsigned most = 10'000;
#endif
  for (unsigned kills = 0; kills < most;) {
    // Many at a time: on a busy machine each one waits for a processor, to die as well.
    std::array<pid_t, 16> victims{};
    for (auto& victim : victims) victim = forked([&] { enter_and_leave_for_ever(memory); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
    // In the first rounds they die together, later one after the other, while the rest goes on.
    const bool together = kills < most - 1'000;
    for (const pid_t victim : victims) {
      ::kill(victim, SIGKILL);
      ++kills;
      if (!together) enter_and_leave(memory, Clock::now() + patience);
    }
    const Time deadline = Clock::now() + patience;
    enter_and_leave(memory, deadline);
    REQUIRE(Clock::now() < deadline);
    for (const pid_t victim : victims) CHECK(was_killed(status_of(victim)));
  }
  CHECK(memory->deaths > 0);
  CHECK(memory->faults == 0);
}

TEST_CASE(
    "a holder and those that wait for it die in the same moment: another one that waits gets the lock") {
  const Memory memory;
  for (int round = 0; round < 200; ++round) {
    const Queue queue(memory);
    const pid_t survivor = forked([&] { enter_and_leave(memory); });
    if (round % 2 == 0) std::this_thread::sleep_for(1ms);  // they sleep, or are about to
    for (const pid_t pid : queue.all) ::kill(pid, SIGKILL);
    for (const pid_t pid : queue.all) CHECK(was_killed(status_of(pid)));
    REQUIRE(status_of(survivor) == 0);
  }
  CHECK(memory->faults == 0);
}

TEST_CASE("one that was woken and is killed before it has the lock passes the wake-up on") {
  const Memory memory;
  for (int round = 0; round < 300; ++round) {
    const Told held, give_back;
    const pid_t holder = forked([&] {
      {
        const RobustLock lock(memory->mutex, never);
        held.tell();
        give_back.wait();
      }
    });
    held.wait();
    const pid_t first = forked([&] { enter_and_leave(memory); });
    const pid_t second = forked([&] { enter_and_leave(memory); });
    give_back.tell();
    ::kill(first, SIGKILL);
    status_of(first);
    CHECK(status_of(holder) == 0);
    REQUIRE(status_of(second) == 0);
  }
  CHECK(memory->faults == 0);
}

TEST_CASE("a holder that the kernel kills for the memory that it takes") {
  const MemoryGroup group;
  if (!group.usable()) {
    MESSAGE("no control group for memory can be made: skipped; to the lock it is a SIGKILL as any other");
    return;
  }
  const Memory memory;
  const pid_t pid = forked([&] {
    if (!group.enter()) ::_exit(1);
    hold(memory);
    std::vector<char> much(4 * MemoryGroup::limit, 'x');
    ::_exit(much[MemoryGroup::limit] == 'x' ? 2 : 3);
  });
  CHECK(was_killed(status_of(pid)));
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("a thread that ends while it holds the lock") {
  const Memory memory;
  std::thread([&] { hold(memory); }).join();
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
  CHECK(memory.lock_and_unlock() == Locked::clean);
}

TEST_CASE("a process that is killed while another one of its threads holds the lock") {
  const Memory memory;
  const Told held;
  const pid_t holder = forked([&] {
    std::thread([&] {
      hold(memory);
      held.tell();
      ::pause();
    }).join();
  });
  held.wait();
  CHECK(memory->mutex.holder().thread != holder);
  kill_now(holder);
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("threads and processes keep each other out") {
  const Memory memory;
  const auto use = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const RobustLock lock(memory->mutex, never);
      memory->inside.store(memory->inside.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  };
  const pid_t other = forked([&] {
    std::thread thread(use);
    use();
    thread.join();
  });
  std::thread thread(use);
  use();
  thread.join();
  CHECK(status_of(other) == 0);
  CHECK(memory->inside == 80'000);
  CHECK(memory->mutex.holder().thread == 0);
}

TEST_CASE("who dies in the repair leaves it to the next one") {
  const Memory memory;
  for (int i = 0; i < 2; ++i)
    CHECK(was_killed(status_of(forked([&] {
      const RobustLock lock(memory->mutex, never);
      if (lock.result() == (i == 0 ? Locked::clean : Locked::owner_died)) ::raise(SIGKILL);
    }))));
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("who executes another program while it holds the lock gives it up") {
  const Memory memory;
  const pid_t pid = forked([&] {
    hold(memory);
    ::execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
  });
  const int status = status_of(pid);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 3));
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("a copy made by fork() does not hold what its parent holds, and does not give it back") {
  const Memory memory;
  const RobustLock lock(memory->mutex, never);
  {
    RobustLock first(memory->mutex, Clock::now());  // this thread has it
    CHECK(first.result() == Locked::no);
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    {
      const RobustLock second(memory->mutex, Clock::now() + 50ms);
      if (second.result() != Locked::no) ::_exit(1);
    }
    lock.~RobustLock();
    ::_exit(memory->mutex.holder().thread == ::getppid() ? 0 : 2);
  }
  CHECK(status_of(pid) == 0);
  CHECK(memory->mutex.holder().thread == ::getpid());
}

TEST_CASE("a signal handler that interrupts the holder gets nothing, does not wait, and breaks nothing") {
  static Region* shared;
  static Locked got;
  const Memory memory;
  shared = memory.operator->();
  const pid_t pid = forked([&] {
    ::signal(SIGUSR1, [](int /*signal*/) { got = RobustLock(shared->mutex, never).result(); });
    const RobustLock lock(memory->mutex, never);
    got = Locked::clean;
    ::raise(SIGUSR1);
    if (got != Locked::no || memory->mutex.holder().thread != ::getpid()) ::_exit(1);
    ::raise(SIGKILL);
  });
  CHECK(was_killed(status_of(pid)));
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("two locks at once: the kernel is shown the outer one again when the inner one is given back") {
  const Memory outer, inner;
  const pid_t pid = forked([&] {
    hold(outer);
    if (inner.lock_and_unlock() != Locked::clean) ::_exit(1);
    ::raise(SIGKILL);
  });
  CHECK(was_killed(status_of(pid)));
  CHECK(inner.lock_and_unlock() == Locked::clean);
  CHECK(outer.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("locking and unlocking without contention makes no system call") {
  const Memory memory;
  const pid_t pid = forked([&] {
    const auto lock_and_unlock = [&] { return RobustLock(memory->mutex, Time{}).result(); };
    lock_and_unlock();  // learns the thread's id
    // From here on the kernel ends the process at the first call but read, write, and exit of the thread.
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) ::_exit(1);
    for (int i = 0; i < 1000; ++i)
      if (lock_and_unlock() != Locked::clean) ::raise(SIGKILL);
    ::syscall(SYS_exit, 0);
  });
  CHECK(status_of(pid) == 0);
}

TEST_CASE("a lock that is free is taken, however late it is") {
  const Memory memory;
  CHECK(RobustLock(memory->mutex, Time{}).result() == Locked::clean);
}

TEST_CASE("a lock is taken only from the holder that was seen, in the hold that was seen") {
  const Memory memory;
  RobustMutex::Holder seen;
  {
    const RobustLock lock(memory->mutex, never);
    seen = memory->mutex.holder();
    CHECK(seen.thread == ::getpid());
  }
  std::thread([&] { CHECK(RobustLock(memory->mutex, seen).result() == Locked::no); }).join();
  {
    const RobustLock again(memory->mutex, never);  // by the same thread
    std::thread([&] {
      CHECK(RobustLock(memory->mutex, seen).result() == Locked::no);
      CHECK(memory->mutex.holder().thread == ::getpid());
      CHECK(RobustLock(memory->mutex, memory->mutex.holder()).result() == Locked::owner_died);
    }).join();
  }
  CHECK(memory.lock_and_unlock() == Locked::clean);
}

TEST_CASE("whoever has lost the lock does not give back another's") {
  const Memory memory;
  const pid_t taker = [&] {
    const Told taken;
    const RobustLock lock(memory->mutex, never);
    const pid_t pid = forked([&] {
      const RobustLock mine(memory->mutex, memory->mutex.holder());
      taken.tell();
      ::pause();
    });
    taken.wait();
    return pid;
  }();
  CHECK(memory->mutex.holder().thread == taker);
  kill_now(taker);
  CHECK(memory.lock_and_unlock() == Locked::owner_died);
}

TEST_CASE("whatever is written over the lock, it works again") {
  const Memory memory;
  const auto parent = static_cast<std::uint32_t>(::getpid());
  std::vector<std::uint32_t> words = {0,
                                      1,
                                      0x29292929,
                                      0x3fffffff,
                                      0x40000000,
                                      0x40000001,
                                      0x7fffffff,
                                      0x80000000,
                                      0x80000001,
                                      0xbfffffff,
                                      0xc0000000,
                                      0xffffffff,
                                      parent,
                                      parent | FUTEX_WAITERS,
                                      parent | FUTEX_OWNER_DIED};
  std::minstd_rand random(2);
  for (int i = 0; i < 100; ++i) words.push_back(static_cast<std::uint32_t>(random()) * 0x10001U);
  for (const std::uint32_t word : words) {
    for (const bool held : {false, true}) {
      CAPTURE(word);
      CAPTURE(held);
      {
        std::optional<RobustLock> lock;
        if (held) lock.emplace(memory->mutex, never);
        memory.write(word, static_cast<std::uint32_t>(random()));
      }
      if (RobustLock(memory->mutex, Time{}).result() == Locked::no) {
        CHECK((word & FUTEX_OWNER_DIED) == 0);
        const auto nobody = memory->mutex.holder();
        CHECK(static_cast<std::uint32_t>(nobody.thread) == (word & FUTEX_TID_MASK));
        CHECK(RobustLock(memory->mutex, nobody).result() == Locked::owner_died);
      }
      CHECK(memory.lock_and_unlock() == Locked::clean);
      // And it is as robust as before.
      if (!held) continue;
      status_of(forked([&] {
        hold(memory);
        ::raise(SIGKILL);
      }));
      CHECK(memory.lock_and_unlock() == Locked::owner_died);
    }
  }
}

TEST_CASE("one that waits gets the lock when the nonsense in it is removed") {
  const Memory memory;
  memory.write(0x29292929, 0);
  const pid_t waiter = forked([&] { enter_and_leave(memory); });
  CHECK(RobustLock(memory->mutex, Clock::now() + 20ms).result() == Locked::no);
  while (RobustLock(memory->mutex, memory->mutex.holder()).result() == Locked::no &&
         memory->mutex.holder().thread != 0)
    std::this_thread::yield();
  CHECK(status_of(waiter) == 0);
}
