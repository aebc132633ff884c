/* SPDX-License-Identifier: MIT
 * The order to leave. The parent writes it into the slot, then sends a signal, which only wakes (Pool::tell_to_leave).
 * The handler puts a dead descriptor in the place of what the child waits on (on_retire in child/child_signals.cpp). Of
 * three children two are told to leave, while clients connect; anybody may send SIGTERM to the third; one child may be
 * killed. Children wait in accept(), or with -DEPOLL in epoll_wait() with EPOLLEXCLUSIVE, which wakes one of them for a
 * connection (ChildProcess::wait_and).
 *   1. A child that was told to leave does not sleep.
 *   2. A child that was not told to leave stays.
 *   3. No connection waits while all children that are left sleep.
 * Each safeguard can be taken out, and then one of the three is broken:
 *   -DSIGNAL_FIRST     the signal is sent before the order is written
 *   -DNO_DEAD          the handler only sets a flag: it may run between the look at the flag and the wait
 *   -DSIGNAL_IS_ORDER  the handler does not look for an order
 *   -DNO_LAST_LOOK     with EPOLL: a child does not look at the queue once more before it leaves
 *   -DNO_LOOK_AGAIN    with EPOLL: the parent does not wake another child when one has ended (Growth::wake_stranded)
 */
#define CHILDREN 3
#ifndef CONNECTIONS
#define CONNECTIONS 2
#endif
#define THIRD 2 /* is not told to leave */

byte queue;                /* connections that wait at the listener */
byte to_come = CONNECTIONS;
bool may_kill = true;
bool leave[CHILDREN];      /* SlotOrders::order is Order::leave */
bool told[CHILDREN];       /* Pool::tell_to_leave has returned */
bool sigterm[CHILDREN], sigusr1[CHILDREN]; /* are pending */
bool dead[CHILDREN];       /* the dead descriptor is in place */
bool is_retired[CHILDREN];
bool waits[CHILDREN];      /* asleep in accept() or epoll_wait() */
bool woken[CHILDREN];      /* from epoll_wait(), for a connection */
bool lingers[CHILDREN];    /* in on_child_leaving(), for as long as it likes */
bool gone[CHILDREN];
bool may_strand;           /* Growth::may_strand_ */

#define leaving(i) (is_retired[i] || leave[i]) /* ChildProcess::leaving */
#ifdef EPOLL
#define sleeps(i) (waits[i] && !woken[i] && !dead[i] && !sigterm[i] && !sigusr1[i])
#else
#define sleeps(i) (waits[i] && queue == 0 && !dead[i] && !sigterm[i])
#endif
#define may_die may_kill -> may_kill = false; goto died

/* on_retire. It runs before the child makes another step. */
inline on_retire() {
  sigterm[me] = false;
  if
#ifdef SIGNAL_IS_ORDER
  :: true ->
#else
  :: is_retired[me] || leave[me] ->
#endif
    is_retired[me] = true;
#ifndef NO_DEAD
    dead[me] = true
#endif
#ifndef SIGNAL_IS_ORDER
  :: else
#endif
  fi
}

inline accept_one() { /* without waiting */
  if
  :: queue > 0 -> queue--
  :: else
  fi
}

proctype child(byte me) {
  do /* wait_and */
  :: atomic { sigterm[me] -> on_retire() }
  :: atomic { !sigterm[me] && leaving(me) -> break }
  :: atomic { may_die }
  :: atomic { !sigterm[me] && !leaving(me) };
end:
    do /* the wait */
#ifdef EPOLL
    :: atomic { sigterm[me] && waits[me] -> on_retire(); waits[me] = false; break } /* EINTR */
    :: atomic { sigterm[me] && !waits[me] -> on_retire() }
    :: atomic { !sigterm[me] && sigusr1[me] -> sigusr1[me] = false; waits[me] = false; break }
    :: atomic { !sigterm[me] && woken[me] -> waits[me] = false; break }
    :: atomic { !sigterm[me] && !waits[me] && !dead[me] && queue > 0 -> break }
#else
    :: atomic { sigterm[me] -> on_retire() } /* accept() is restarted (SA_RESTART) */
    :: atomic { !sigterm[me] && !dead[me] && queue > 0 -> queue--; waits[me] = false; break }
#endif
    :: atomic { !sigterm[me] && dead[me] -> waits[me] = false; break } /* the wait fails */
    :: atomic { !sigterm[me] && !waits[me] && !dead[me] && queue == 0 -> waits[me] = true }
    :: atomic { may_die }
    od;
#ifdef EPOLL
    if /* attempt, look_at_all */
    :: atomic { !leaving(me) -> accept_one(); woken[me] = false }
    :: atomic { leaving(me) -> woken[me] = false }
    :: atomic { may_die }
    fi
#endif
  od;
  assert(leave[me]); /* 2 */
#if defined(EPOLL) && !defined(NO_LAST_LOOK)
  do /* last_look: until it has looked in vain */
  :: atomic { queue > 0 -> queue-- }
  :: atomic { queue == 0 -> break }
  :: atomic { may_die }
  od;
#endif
  lingers[me] = true;
died:
  atomic { gone[me] = true; lingers[me] = false; waits[me] = false; woken[me] = false; sigterm[me] = false; may_strand = true }
}

inline tell_to_leave(i) { /* Pool::tell_to_leave */
#ifdef SIGNAL_FIRST
  sigterm[i] = !gone[i];
  leave[i] = true;
#else
  leave[i] = true;
  sigterm[i] = !gone[i];
#endif
  told[i] = true
}

proctype parent() {
  tell_to_leave(0);
  tell_to_leave(1);
end:
  do /* Parent::reap, then Growth::wake_stranded */
  :: atomic { may_strand ->
      may_strand = false;
#ifndef NO_LOOK_AGAIN
      if /* Pool::wake_idle_child */
      :: queue > 0 && !gone[THIRD] -> sigusr1[THIRD] = true
      :: else
      fi
#endif
    }
  od
}

proctype clients() {
end:
  do
  :: atomic { to_come > 0 ->
      to_come--; queue++;
#ifdef EPOLL
      if /* one that sleeps is woken */
      :: waits[0] && !woken[0] && !dead[0] -> woken[0] = true
      :: waits[1] && !woken[1] && !dead[1] -> woken[1] = true
      :: waits[2] && !woken[2] && !dead[2] -> woken[2] = true
      :: else
      fi
#endif
    }
  :: to_come == 0 -> break
  od
}

proctype service_manager() { atomic { sigterm[THIRD] = !gone[THIRD] } } /* to every process of the service */

#define asleep_for_good(i) (gone[i] || lingers[i] || sleeps(i))

/* Moves only if something is wrong. */
proctype monitor() {
end:
  if
  :: atomic { (told[0] && sleeps(0)) || (told[1] && sleeps(1)) -> assert(false) } /* 1 */
  :: atomic { queue > 0 && sleeps(THIRD) && asleep_for_good(0) && asleep_for_good(1) && !may_strand -> assert(false) } /* 3 */
  fi
}

init {
  atomic {
    run child(0); run child(1); run child(2);
    run parent(); run clients(); run service_manager(); run monitor()
  }
}
