#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the models in this folder with spin, each as it is and once without each safeguard: then the fault must be found.
# Run from anywhere; needs spin and gcc.
models=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT || exit 1
failed=0

# check holds|breaks MODEL DEFINITION...
check() {
  expected=$1 model=$2
  shift 2
  cd "$work" && rm -f pan* ./*.trail
  spin -a "$@" "$models/$model.pml" >spin.log && gcc -O2 -w -DSAFETY -DHC4 -o pan pan.c || { cat spin.log; exit 1; }
  ./pan -m1000000 >pan.log 2>&1
  if grep -q 'max search depth too small\|out of memory' pan.log; then
    found='is too large to be checked'
  elif grep -q 'errors: 0$' pan.log; then
    found=holds
  else
    found=breaks
  fi
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log)
  echo "model $model${*:+ $*}: $found, $states states"
  test "$found" = "$expected" || { echo "expected: $expected"; cat pan.log; failed=1; }
}

check holds wake -DCHANGES=2 -DDEADLINE
check holds wake -DCHANGES=2 -DDEADLINE -DCAPACITY=2
check holds wake -DCHANGES=2 -DSPARES
check holds wake -DCHANGES=2 -DSURPLUS
check holds wake -DCHANGES=2 -DSURPLUS -DCAPACITY=2
check breaks wake -DCHANGES=2 -DDEADLINE -DNO_RECOUNT
check breaks wake -DCHANGES=2 -DDEADLINE -DCAPACITY=2 -DONLY_IDLE_BITS
check breaks wake -DCHANGES=2 -DDEADLINE -DCAPACITY=2 -DBUSY_AS_COUNTED
check breaks wake -DCHANGES=2 -DDEADLINE -DCAPACITY=2 -DNO_FENCE
check breaks wake -DCHANGES=2 -DSPARES -DWAKE_FLAG
check breaks wake -DCHANGES=2 -DSPARES -DCLEAR_LATE

check holds lock
check breaks lock -DNO_NUMBER
check breaks lock -DNO_COMPARE
check breaks lock -DNO_PENDING
check breaks lock -DWAITERS_LOST
check breaks lock -DBLIND_UNLOCK

check holds retire
check holds retire -DEPOLL
check breaks retire -DSIGNAL_FIRST
check breaks retire -DSIGNAL_FIRST -DEPOLL
check breaks retire -DNO_DEAD
check breaks retire -DNO_DEAD -DEPOLL
check breaks retire -DSIGNAL_IS_ORDER
check breaks retire -DEPOLL -DNO_LAST_LOOK
check breaks retire -DEPOLL -DNO_LOOK_AGAIN
exit $failed
