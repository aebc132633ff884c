#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the suite again and again beside two busy loops, and says which cases fail. A suite that holds here holds on
# a busy machine.
#   sh test/under_load.sh [RUNS [JOBS]]
# RUNS: 20 if not given; JOBS: tests at once, twice the number of processors if not given. BUILD names the build
# directory: build/release if not given. The whole output of run N is in BUILD/under_load/N.log. Ends with 1 if any
# case has failed in any run.
set -u
runs=${1:-20}
jobs=${2:-$(($(nproc) * 2))}
build=${BUILD:-$(dirname "$0")/../build/release}
logs=$build/under_load
loops=

stop_loops() {
  for loop in $loops; do kill "$loop" 2>/dev/null; done
}
trap stop_loops EXIT
trap 'exit 130' INT TERM

# Should this script be killed, they end by themselves.
for loop in 1 2; do
  timeout "$((runs * 15))m" sh -c 'while :; do :; done' &
  loops="$loops $!"
done

rm -rf "$logs"
mkdir -p "$logs" || exit 2
bad=0
run=0
while test "$run" -lt "$runs"; do
  run=$((run + 1))
  log=$logs/$run.log
  began=$(date +%s)
  if ctest --test-dir "$build" -j "$jobs" --output-on-failure >"$log" 2>&1; then
    result=passed
  else
    # "	 12 - pool: a case (Failed)    pool live"
    failed=$(sed -n '/^The following tests FAILED:/,$s/^[[:space:]]*[0-9]* - \(.*([A-Z][A-Za-z* ]*)\).*$/\1/p' "$log" |
      paste -s -d ';' | sed 's/;/; /g')
    result="FAILED: ${failed:-see $log}"
    bad=$((bad + 1))
  fi
  echo "run $run of $runs, $(($(date +%s) - began)) s: $result"
done
echo "$((runs - bad)) of $runs runs passed"
test "$bad" -eq 0
