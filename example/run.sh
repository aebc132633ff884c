#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make run` shows: the echo server in the foreground, some connections to it, its scoreboard. Ctrl-C ends it.
build=$1
address=127.0.0.1:8000
scoreboards=$(mktemp -d) || exit 1
trap 'rm -rf "$scoreboards"' EXIT
trap : INT TERM  # meant for the server, which gets it too; this script ends after it

"$build/echo" --config=etc/echo.conf --runtime-directory="$scoreboards" &
server=$!
trap 'kill -TERM $server 2>/dev/null' TERM

tries=0
until "$build/broodctl" status "$scoreboards/echo.scoreboard" >/dev/null 2>&1; do
  kill -0 $server 2>/dev/null || { wait $server; exit $?; }
  tries=$((tries + 1))
  test $tries -lt 200 || { echo "the server is not ready after 10 seconds" >&2; kill $server; exit 1; }
  sleep 0.05
done

echo
echo "Six connections, answered by its children:"
"$build/brood-load" $address --connections 6 --concurrency 6 --payload 'hello brood' --show
echo
"$build/broodctl" status "$scoreboards/echo.scoreboard"
cat <<EOF

The server stays up until Ctrl-C. From another terminal, try:

  $build/brood-load $address --concurrency 32 --seconds 5       load it
  $build/broodctl status $scoreboards/echo.scoreboard     see it
  edit etc/echo.conf, then  kill -HUP $server              new settings, fresh children
  kill -9 one of its children                               see it replaced
  $build/brood --config-directory etc/brood       four services, in any language, under one parent
  man -l man/brood.7                                        read on
EOF
wait $server
status=$?
while kill -0 $server 2>/dev/null; do
  wait $server
  status=$?
done
exit $status
