#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows a service in Python that gets its listeners as systemd and brood pass them (LISTEN_FDS). Echoes lines.

    command = /path/to/listen_fds.py [SECONDS]
    command-gets = listeners

After SIGTERM it finishes the connection that it serves, so that a reload loses none. If it is idle for
SECONDS, it exits; with start-servers = 0 the next connection starts it again.
"""
import os
import selectors
import signal
import socket
import sys

FIRST = 3  # sd_listen_fds(3)
leaving = False
listeners = []


def leave(_signal, _frame):
    global leaving
    leaving = True
    for listener in listeners:  # the next server may bind their addresses
        listener.close()


def passed_listeners():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        sys.exit("listen_fds.py: no listeners were passed (LISTEN_PID)")
    for i in range(int(os.environ["LISTEN_FDS"])):
        listener = socket.socket(fileno=FIRST + i)
        listener.setblocking(False)  # another process may accept the connection first
        yield listener


def serve(connection):
    with connection, connection.makefile("rwb") as lines:
        for line in lines:
            lines.write(b"%d\n" % os.getpid() if line == b"pid\n" else line)
            lines.flush()


def main():
    idle = float(sys.argv[1]) if len(sys.argv) > 1 else None
    signal.signal(signal.SIGTERM, leave)
    awake, wake = socket.socketpair()  # a signal ends the wait, even if it comes just before
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    selector = selectors.DefaultSelector()
    listeners.extend(passed_listeners())
    for source in [awake, *listeners]:
        selector.register(source, selectors.EVENT_READ)
    while not leaving:
        ready = selector.select(idle)
        if not ready:
            return
        for key, _ in ready:
            if leaving or key.fileobj is awake:
                continue
            try:
                connection, _ = key.fileobj.accept()
            except OSError:  # another process accepted it, or this listener was closed
                continue
            connection.setblocking(True)
            try:
                serve(connection)
            except OSError as error:
                print("listen_fds.py:", error, file=sys.stderr)


main()
