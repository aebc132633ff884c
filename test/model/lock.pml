/* SPDX-License-Identifier: MIT
 * The lock: RobustMutex and RobustLock (scoreboard/robust_mutex.cpp), ParentLock (pool/parent_lock.cpp), and what the
 * kernel does for a thread that ends (handle_futex_death in kernel/futex/core.c). Three children take the lock, wait for
 * it and give it back, and may be killed before each step. The parent takes it away from a hold that it has seen before.
 * A child that is stopped is one that makes no step.
 *   1. Two that have not lost the lock are never inside at once.
 *   2. Whoever gets the lock after one was inside that died, or lost it, is told so.
 *   3. Nobody sleeps for ever: a child sleeps only while another one holds the lock, or will look at it, or will wake it.
 * Each safeguard can be taken out, and then one of the three is broken:
 *   -DNO_NUMBER      a hold has no number: the lock is taken from one that gave it back and has taken it again
 *   -DNO_COMPARE     the parent takes the lock from whoever has it when its time has passed
 *   -DNO_PENDING     the kernel is not shown the word
 *   -DWAITERS_LOST   whoever takes the lock forgets that others may wait
 *   -DBLIND_UNLOCK   whoever has lost the lock gives it back all the same
 */
#ifndef TAKES
#define TAKES 2 /* how often a child takes the lock */
#endif
#define CHILDREN 3
#define PARENT 4 /* thread ids; 0 is nobody */

/* RobustMutex::state_ */
byte thread, number;
bool waiters, died; /* FUTEX_WAITERS, FUTEX_OWNER_DIED */

bool asleep[CHILDREN + 1]; /* in FUTEX_WAIT */
bool awake[CHILDREN + 1];  /* will look at the word, or wake another one */
bool inside[PARENT + 1];   /* holds the lock, and has not lost it */
bool to_repair;            /* one that was inside has died, or has lost the lock */
bool innocent;             /* the lock was taken from a hold that the parent had not seen */

#define is_held (thread != 0 && !died)
#define nobody_inside (!inside[1] && !inside[2] && !inside[3] && !inside[PARENT])
#ifdef NO_NUMBER
#define next_number number
#else
#define next_number (number + 1)
#endif
byte holds; /* how often the lock was taken: the truth, which the word has as its number */

inline futex_wake() { /* one of those that sleep */
  if
  :: asleep[1] -> asleep[1] = false; awake[1] = true; woken = true
  :: asleep[2] -> asleep[2] = false; awake[2] = true; woken = true
  :: asleep[3] -> asleep[3] = false; awake[3] = true; woken = true
  :: !asleep[1] && !asleep[2] && !asleep[3] -> woken = false
  fi
}

inline take(me) { /* RobustLock::take */
  was_died = died; died = false;
  thread = me; number = next_number; mine = number; holds++;
#ifdef WAITERS_LOST
  waiters = false;
#endif
  assert(nobody_inside);        /* 1 */
  assert(!to_repair || was_died); /* 2 */
  inside[me] = true; was_died = false
}

/* The thread ends. list_op_pending is the word from before the first look until after the last wake-up. */
inline die() {
  if
  :: inside[me] -> inside[me] = false; to_repair = true
  :: else
  fi;
#ifndef NO_PENDING
  if
  :: thread == 0 -> futex_wake()
  :: thread == me ->
    thread = 0; died = true;
    if
    :: waiters -> futex_wake()
    :: else
    fi
  :: else
  fi;
#endif
  asleep[me] = false; awake[me] = false
}

proctype child(byte me) {
  bool woken, was_died;
  byte mine, takes = TAKES;
  do
  :: atomic { takes == 0 -> awake[me] = false; break }
  :: takes > 0 ->
    do /* RobustLock::RobustLock */
    :: atomic { !asleep[me] && !is_held -> take(me); break }
    :: atomic { !asleep[me] && is_held && !waiters -> waiters = true } /* wait */
    :: atomic { !asleep[me] && is_held && waiters -> asleep[me] = true; awake[me] = false } /* FUTEX_WAIT */
    :: atomic { true -> die(); goto dead }
    od;
    if /* ScoreboardLock: repair, then what the caller does */
    :: atomic { inside[me] -> to_repair = false }
    :: !inside[me]
    :: atomic { true -> die(); goto dead }
    fi;
    if /* RobustLock::~RobustLock */
    :: atomic {
#ifdef BLIND_UNLOCK
        true ->
#else
        thread == me && number == mine && !died ->
#endif
        thread = 0; inside[me] = false; mine = number
      };
      if
      :: !waiters
      :: waiters ->
        if /* wake_one */
        :: atomic { true -> futex_wake() }
        :: atomic { true -> die(); goto dead }
        fi;
        if
        :: atomic { !woken && thread == 0 && !died && number == mine -> waiters = false }
        :: !(!woken && thread == 0 && !died && number == mine)
        :: atomic { true -> die(); goto dead }
        fi
      fi
    :: atomic { !(thread == me && number == mine && !died) -> inside[me] = false }
    :: atomic { true -> die(); goto dead }
    fi;
    atomic { takes--; mine = 0; woken = false }
  od;
dead:
  skip
}

/* ParentLock: it looks, and looks again later; it waits for nothing. It kills a child first; one that does not die, or
 * whose id is nonsense, loses the lock. */
proctype parent() {
  bool woken, was_died;
  byte mine, me = PARENT, seen, seen_number, seen_holds;
end:
  do
  :: atomic { is_held -> seen = thread; seen_number = number; seen_holds = holds }; /* ParentLock::is_given_up */
    atomic {
#ifdef NO_COMPARE
      if
      :: is_held ->
#else
      if /* RobustLock(mutex, from) */
      :: is_held && thread == seen && number == seen_number ->
#endif
        innocent = innocent || holds != seen_holds;
        inside[thread] = false; to_repair = true; died = true;
        take(PARENT)
      :: else -> goto next
      fi
    };
    atomic { to_repair = false };
    atomic { /* RobustLock::~RobustLock */
      thread == PARENT && number == mine && !died ->
      thread = 0; inside[PARENT] = false;
      if
      :: waiters -> futex_wake()
      :: else
      fi
    };
  next:
    atomic { mine = 0; woken = false; seen = 0; seen_number = 0; seen_holds = 0 }
  od
}

/* Moves only if something is wrong. */
proctype monitor() {
end:
  if
  :: atomic { innocent -> assert(false) }
  :: atomic {
      (asleep[1] || asleep[2] || asleep[3]) && !awake[1] && !awake[2] && !awake[3] && thread == 0 -> assert(false) /* 3 */
    }
  fi
}

init {
  atomic {
    awake[1] = true; awake[2] = true; awake[3] = true;
    run child(1); run child(2); run child(3);
    run parent(); run monitor()
  }
}
