#!/bin/sh
# SPDX-License-Identifier: MIT
# For `make run`: starts the echo server, opens six connections to it, and shows its scoreboard. Ctrl-C stops it.
build=$1  # the build directory
address=127.0.0.1:8000
scoreboards=$(mktemp -d) || exit 1
trap 'rm -rf "$scoreboards"' EXIT
trap : INT TERM  # the server gets Ctrl-C too; this script waits for its end

"$build/echo" --config=etc/echo.conf --runtime-directory="$scoreboards" &
server=$!
trap 'kill -TERM $server 2>/dev/null' TERM

tries=0
until "$build/broodctl" status "$scoreboards/echo.scoreboard" >/dev/null 2>&1; do
  kill -0 $server 2>/dev/null || { wait $server; exit $?; }
  tries=$((tries + 1))
  test $tries -lt 200 || { echo "the server is not ready after 10 seconds; it is stopped" >&2; kill $server; exit 1; }
  sleep 0.05
done

echo
echo "Six connections, and which child answered each:"
"$build/brood-load" $address --connections 6 --concurrency 6 --payload 'hello brood' --show
echo
"$build/broodctl" status "$scoreboards/echo.scoreboard"
cat <<EOF

The server runs until Ctrl-C. In another terminal, in this directory:

  Put load on it:
    $build/brood-load $address --concurrency 32 --seconds 5
  See its children:
    $build/broodctl status $scoreboards/echo.scoreboard
  Change etc/echo.conf, then read it again and replace all children:
    kill -HUP $server
  Kill a child with kill -9, and see that it is replaced.
  Run four services, in any language, under one parent:
    $build/brood --config-directory etc/brood
  Read the manual:
    man -l man/brood.7
EOF
wait $server
status=$?
while kill -0 $server 2>/dev/null; do
  wait $server
  status=$?
done
exit $status
