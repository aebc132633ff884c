#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A service in another language: takes its listeners as systemd and brood hand them on, and echoes lines.

    command = /path/to/listen_fds.py [SECONDS]
    command-gets = listeners

SIGTERM lets it finish the connection that it serves; so a reload loses none. Idle for SECONDS, it ends by
itself: with start-servers = 0 the next connection starts it again.
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
    for listener in listeners:  # who finishes a connection keeps no place from the next server
        listener.close()


def inherited():
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        sys.exit("listen_fds.py: no listeners were handed on (LISTEN_PID)")
    for i in range(int(os.environ["LISTEN_FDS"])):
        listener = socket.socket(fileno=FIRST + i)
        listener.setblocking(False)  # another process may be faster
        yield listener


def serve(connection):
    with connection, connection.makefile("rwb") as lines:
        for line in lines:
            lines.write(b"%d\n" % os.getpid() if line == b"pid\n" else line)
            lines.flush()


def main():
    idle = float(sys.argv[1]) if len(sys.argv) > 1 else None
    signal.signal(signal.SIGTERM, leave)
    awake, wake = socket.socketpair()  # a signal ends the wait, whenever it comes
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    selector = selectors.DefaultSelector()
    listeners.extend(inherited())
    for source in [awake, *listeners]:
        selector.register(source, selectors.EVENT_READ)
    while not leaving:
        ready = selector.select(idle)
        if not ready:
            return  # nobody came
        for key, _ in ready:
            if leaving or key.fileobj is awake:
                continue
            try:
                connection, _ = key.fileobj.accept()
            except OSError:  # another one was faster, or it is closed by now
                continue
            connection.setblocking(True)
            try:
                serve(connection)
            except OSError as error:
                print("listen_fds.py:", error, file=sys.stderr)


main()
