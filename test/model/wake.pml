/* SPDX-License-Identifier: MIT
 * The wake-up: children take and finish connections and read the thresholds that the parent moves; the parent counts,
 * decides, moves the thresholds, counts again, and sleeps. While it sleeps and no child is in the middle of a change, it
 * must know what it has to know:
 *   1. a child with an open connection has a deadline (connection-timeout);
 *   2. there are no fewer spares than it thought, where fewer make a difference;
 *   3. there is no surplus that it does not know of.
 * With -DCHANGES=N each child takes or finishes so many connections in all, which takes seconds with 3; else any number,
 * which takes minutes. With -DDEADLINE, -DSPARES or -DSURPLUS one of the three is asked for, else all. Each safeguard can be taken out, and then one of the three is broken:
 *   -DNO_RECOUNT        publish() does not count again
 *   -DONLY_IDLE_BITS    publish() counts idle bits alone: a first connection flips none where a child has room for more
 *   -DBUSY_AS_COUNTED   publish() compares with the number of busy children of the census, not of the deadlines
 *   -DNO_FENCE          open_connections is stored after the thresholds are read, as a processor may do
 *   -DWAKE_FLAG         a child writes the eventfd only if it has set a flag that every child can write
 *   -DCLEAR_LATE        the parent clears the eventfd after it has counted
 */
#if !defined(DEADLINE) && !defined(SPARES) && !defined(SURPLUS)
#define DEADLINE
#define SPARES
#define SURPLUS
#endif
#ifndef CAPACITY
#define CAPACITY 1 /* connections that a child may have open */
#endif
#define CHILDREN 3
#define MIN_SPARE 2
#define MAX_SPARE 2
#define NOTHING 255 /* wake_above: nothing; wake_below: everything */

byte open_connections[CHILDREN]; /* Slot::open_connections */
bool idle_bit[CHILDREN] = true;  /* one word: counted at once */
byte wake_below = 0, wake_above = NOTHING; /* ServiceOrders */
bool event;                      /* the eventfd's counter is not 0 */
bool wake_flag;                  /* with WAKE_FLAG */

bool changes[CHILDREN]; /* the child is in accepted() or finished() */
bool asleep;            /* the parent is in Parent::wait() */

/* What the last look saw: ChildCensus, Overdue, Plan. */
byte counts_idle, counts_connected, counts_busy;
bool has_deadline, has_surplus;

#define count_bits() (idle_bit[0] + idle_bit[1] + idle_bit[2])
#define is_busy(i) (open_connections[i] > 0)
#define count_busy() (is_busy(0) + is_busy(1) + is_busy(2))
#define less(a, b) ((a) > (b) -> (a) - (b) : 0)
#define least(a, b) ((a) < (b) -> (a) : (b))
#define surplus(idle, connected) least(less(idle, MAX_SPARE), less(idle, connected))
#define level(idle) ((idle) >= MIN_SPARE -> 2 : ((idle) > 0 -> 1 : 0))

/* ChildSlot::wake */
inline wake() {
#ifdef WAKE_FLAG
  if
  :: atomic { !wake_flag -> wake_flag = true }; event = true
  :: else
  fi
#else
  event = true
#endif
}

#ifdef NO_FENCE
#define store_first(count) skip
#define store_last(count) open_connections[me] = count
#else
#define store_first(count) open_connections[me] = count
#define store_last(count) skip
#endif

#ifdef CHANGES
#define may_change_declared byte left = CHANGES;
#define may_change (left > 0)
#define changed left--
#else
#define may_change_declared
#define may_change true
#define changed skip
#endif

/* One step each: a read or a write of shared memory, with what follows from it. */
proctype child(byte me) {
  byte count, bits;
  may_change_declared
end:
  do
  :: atomic { may_change && open_connections[me] < CAPACITY -> /* ChildSlot::accepted */
      changed;
      changes[me] = true;
      count = open_connections[me] + 1;
      store_first(count)
    };
    atomic {
      if
      :: count == CAPACITY -> idle_bit[me] = false
      :: else
      fi
    };
    if
    :: count == CAPACITY || count == 1 ->
      atomic { bits = count_bits() };
      atomic {
        if
        :: bits < wake_below -> wake()
        :: else
        fi;
        bits = 0
      }
    :: else
    fi;
    atomic { store_last(count); count = 0; changes[me] = false }
  :: atomic { may_change && open_connections[me] > 0 -> /* ChildSlot::finished */
      changed;
      changes[me] = true;
      count = open_connections[me] - 1;
      open_connections[me] = count
    };
    atomic {
      if
      :: count + 1 == CAPACITY -> idle_bit[me] = true
      :: else
      fi
    };
    if
    :: count + 1 == CAPACITY || count == 0 ->
      bits = count_bits();
      atomic {
        if
        :: bits > wake_above -> wake()
        :: else
        fi;
        bits = 0
      }
    :: else
    fi;
    atomic { count = 0; changes[me] = false }
  od
}

/* count_children, in pool/census.cpp: each idle bit is read once, one after the other. */
#define count_child(i) \
  busy = is_busy(i); \
  atomic { \
    counts_busy = counts_busy + busy; \
    counts_connected = counts_connected + (idle_bit[i] && busy); \
    counts_idle = counts_idle + idle_bit[i]; \
    busy = false \
  }
inline census() {
  count_child(0);
  count_child(1);
  count_child(2)
}

/* Pool::end_overdue: a child with an open connection has a deadline. */
inline end_overdue() {
#ifdef DEADLINE
  has_deadline = is_busy(0);
  has_deadline = has_deadline || is_busy(1);
  has_deadline = has_deadline || is_busy(2)
#else
  has_deadline = true /* connection-timeout is 0 */
#endif
}

/* thresholds, in pool/policy.cpp. No more children may be started. */
#define wake_when_busy (!has_deadline)
#ifdef SURPLUS
#define wanted_above (has_surplus -> NOTHING : MAX_SPARE)
#else
#define wanted_above NOTHING
#endif
#ifdef SPARES
#define least_spares \
  (counts_idle >= MIN_SPARE -> MIN_SPARE : (counts_idle > 0 -> 1 : 0))
#else
#define least_spares 0
#endif
#define wanted_below (wake_when_busy -> NOTHING : least_spares)

#define fewer (bits < counts_idle)
#define more (bits > counts_idle)
#ifdef ONLY_IDLE_BITS
#define busier false
#define quieter false
#else
#ifdef BUSY_AS_COUNTED
#define busier (busy_now > counts_busy)
#else
#define busier (wake_when_busy && busy_now > 0)
#endif
#define quieter (busy_now < counts_busy)
#endif

/* Growth::publish */
inline publish() {
  atomic {
#ifdef SURPLUS
    has_surplus = surplus(counts_idle, counts_connected) > 0;
#endif
    raised = wanted_below > wake_below;
    lowered = wanted_above < wake_above;
    wake_below = wanted_below
  };
  wake_above = wanted_above;
#ifndef NO_RECOUNT
  if
  :: raised || lowered ->
    bits = count_bits();
    busy_now = is_busy(0);
    busy_now = busy_now + is_busy(1);
    atomic {
      busy_now = busy_now + is_busy(2);
      look_again = (raised && bits < wanted_below && (fewer || busier)) ||
                   (lowered && bits > wanted_above && (more || quieter))
    }
  :: else
  fi
#endif
}

proctype parent() {
  byte bits, busy_now;
  bool busy, raised, lowered, look_again;
  do
  :: atomic { /* what counts from here on: whether there is a deadline, spares, a surplus */
#ifdef SPARES
      counts_idle = level(counts_idle);
#else
      counts_idle = 0;
#endif
      counts_connected = 0; counts_busy = 0;
      bits = 0; busy_now = 0; raised = false; lowered = false;
      asleep = !look_again
    };
end:
    atomic { (look_again || event) -> /* Parent::wait */
      asleep = false; look_again = false; counts_idle = 0; has_deadline = false; has_surplus = false;
#ifndef CLEAR_LATE
      event = false
#endif
    };
#ifdef WAKE_FLAG
    wake_flag = false;
#endif
    census(); /* Growth::look */
    end_overdue();
#ifdef CLEAR_LATE
    event = false;
#endif
    publish()
  od
}

#ifdef WAKE_FLAG
proctype wild() { wake_flag = true } /* a store to memory that every child can write */
#endif

#define quiet (asleep && !event && !changes[0] && !changes[1] && !changes[2])
#define now_idle count_bits()
#define now_connected ((idle_bit[0] && is_busy(0)) + (idle_bit[1] && is_busy(1)) + (idle_bit[2] && is_busy(2)))

/* Moves only if something is wrong. */
proctype monitor() {
end:
  if
  :: atomic { quiet && count_busy() > 0 && !has_deadline -> assert(false) } /* 1 */
#ifdef SPARES
  :: atomic { quiet && level(now_idle) < counts_idle -> assert(false) } /* 2 */
#endif
#ifdef SURPLUS
  :: atomic { quiet && surplus(now_idle, now_connected) > 0 && !has_surplus -> assert(false) } /* 3 */
#endif
  fi
}

init {
  atomic {
    event = true; /* the first look */
    run parent(); run monitor();
    run child(0); run child(1); run child(2);
#ifdef WAKE_FLAG
    run wild();
#endif
  }
}
