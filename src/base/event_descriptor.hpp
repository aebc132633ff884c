// SPDX-License-Identifier: MIT
// A descriptor that becomes readable when something has happened (eventfd(2)). It wakes processes and threads
// that wait for several descriptors.
#pragma once

#include <poll.h>

#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "brood/descriptor.hpp"

namespace brood {

Descriptor new_event(bool happened = false);  // throws SystemError
// May be called in a signal handler. Does nothing if `event` is -1. False: see errno; the counter may be
// full, and the descriptor readable anyway.
// `amount`: what the counter grows by.
bool tell_event(int event, std::uint64_t amount = 1);
// Makes it unreadable until tell_event() is called again. Never waits. Returns the counter.
std::uint64_t clear_event(int event);

// Which of these events any descriptor has now, as poll(2) reports them. Never waits.
short events_now(int descriptor, short events);
// Whether a read of any descriptor would find something now, or an end.
inline bool readable(int descriptor) { return events_now(descriptor, POLLIN) != 0; }

// As ppoll(2), until then at most. A signal ends it.
int poll_until(std::span<pollfd> events, Time until);
// Waits until the descriptor has one of these events, at most until then. A signal does not end the wait.
// False: the time is over.
bool wait_for_event(int descriptor, short events, Time until);

}  // namespace brood
