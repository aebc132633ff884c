# SPDX-License-Identifier: MIT
# For scripts that run servers: `. test/support/servers.sh`, with the directory of the programs in $build. What they
# write is in $there. When the script ends, whatever it has in $processes is ended, and $there removed.
fail() { echo "FAILED: $1"; exit 1; }
there=$(mktemp -d) || exit 1
processes=
end() {
  test -n "$processes" && kill $processes 2>/dev/null
  wait
  rm -rf "$there"
}
trap end EXIT
trap 'exit 1' INT TERM

# WHAT COMMAND: until the command succeeds, for a minute.
until_is() {
  what=$1 tries=0
  shift
  until "$@"; do
    tries=$((tries + 1))
    test $tries -lt 600 || fail "not within a minute: $what"
    sleep 0.1
  done
}

# PROGRAM OPTION ...: runs it until it is ready. $server is its pid, $run its runtime directory, $addresses those of its
# listeners, $address the first of them, and $status that of its status listener.
serve() {
  run=$(mktemp -d "$there/run.XXXX")
  program=$1
  shift
  "$build/$program" --runtime-directory="$run" --allow-root=yes --log="$run/log" --status-listen=127.0.0.1:0 "$@" &
  server=$!
  processes="$processes $server"
  until_is "$program is ready" grep -qs ' ready: ' "$run/log"
  addresses=$(sed -n 's/.* ready: [^ ]* on \([^,]*\),.*/\1/p' "$run/log")
  address=${addresses%% *}
  status=$(sed -n 's/.* status on //p' "$run/log")
}
