#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make page` does: has Chromium show the page of a server with 1,000 children, and compares it with broodctl. No
# message may come to the console. Where Chromium is not installed, says so and is content; it is not fetched for this.
build=$1
command -v chromium >/dev/null || { echo "page: skipped: chromium is not installed"; exit 0; }
fail() { echo "FAILED: $1"; exit 1; }
there=$(mktemp -d) || exit 1
server=
end() {
  test -n "$server" && kill "$server" 2>/dev/null
  wait
  rm -rf "$there"
}
trap end EXIT
trap 'exit 1' INT TERM
"$build/echo" --listen=127.0.0.1:0 --runtime-directory="$there/run" --allow-root=yes --log="$there/log" \
  --status-listen=127.0.0.1:0 --start-servers=1000 --max-spare-servers=1000 --max-clients=1000 &
server=$!
tries=0
until "$build/broodctl" --runtime-directory="$there/run" --json list 2>/dev/null | grep -q '"idle": 1000'; do
  tries=$((tries + 1))
  test $tries -lt 600 || fail "the server is not ready"
  sleep 0.1
done
address=$(sed -n 's/.* ready: echo on \([^,]*\),.*/\1/p' "$there/log")
"$build/brood-load" --requests 1234 "$address" >/dev/null || fail "the load"
status=$(sed -n 's/.* status on //p' "$there/log")
# Until it has asked for the status, and shown it.
chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$there/chromium" --enable-logging=stderr \
  --virtual-time-budget=10000 --dump-dom "http://$status/" >"$there/page" 2>"$there/messages"
grep CONSOLE "$there/messages" && fail "messages came to the console"
shows() { grep -q "<b>$1</b><span>$2</span>" "$there/page" || fail "the page does not show $2 = $1"; }
shows '0 / 1,000' 'busy / most'
shows 1,000 spare
shows 1,234 finished
shows 0 failed
shows 0 refused
cells=$(grep -o '<i class="idle" title="[0-9]* idle"' "$there/page" | wc -l)
test "$cells" = 1000 || fail "the page has $cells squares of idle children"
child=$(sed 's/ .*//' "/proc/$server/task/$server/children")
kill -SEGV "$child"
tries=0
until "$build/broodctl" --runtime-directory="$there/run" --json list | grep -q '"idle": 999'; do
  tries=$((tries + 1))
  test $tries -lt 600 || fail "the child has not ended"
  sleep 0.1
done
chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$there/chromium" \
  --virtual-time-budget=10000 --dump-dom "http://$status/" >"$there/page" 2>/dev/null
grep -q "<td>$child</td><td>signal 11</td>" "$there/page" || fail "the page does not show the crash"
grep -q "<td>signal</td><td>1</td>" "$there/page" || fail "the page does not show by what cause the child has ended"
width=$(timeout 120 python3 test/page_width.py "$there/narrow" 390 "http://$status/") || fail "a narrow page"
test "$width" = "390 " || fail "on a screen of 390 pixels the page needs $width"
size=$("$build/brood-load" --http / --requests 1 --show "$status" | wc -c)
test "$size" -lt 61440 || fail "the page has $size bytes"
echo "the page has $size bytes, fits into 390 pixels, no message came to the console, and its figures are those of the server: passed"
