#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make page` does: has Chromium show the pages of servers, one with 1,000 children, and compares each figure with
# /status.json and broodctl. No message may come to the console. Where Chromium is not installed, says so and is content;
# it is not fetched for this.
build=$1
command -v chromium >/dev/null || { echo "page: skipped: chromium is not installed"; exit 0; }
. test/support/servers.sh
idle() { "$build/broodctl" --runtime-directory="$run" --json list 2>/dev/null | grep -q "\"idle\": $1"; }
compare() {
  timeout 300 python3 test/page/figures.py "$build/broodctl" "$run" "$(mktemp -d "$there/XXXX")" "http://$status/" ||
    fail "the figures of $program"
}
serve echo --listen=127.0.0.1:0 --start-servers=1000 --max-spare-servers=1000 --max-clients=1000
until_is "1,000 children are idle" idle 1000
"$build/brood-load" --requests 1234 "$address" >/dev/null || fail "the load"
# Until it has asked for the status, and shown it.
chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$there/chromium" --enable-logging=stderr \
  --virtual-time-budget=10000 --dump-dom "http://$status/" >"$there/page" 2>"$there/messages"
grep CONSOLE "$there/messages" && fail "messages came to the console"
grep -q "<b>1,234</b><span>finished</span>" "$there/page" || fail "the page does not show the load"
cells=$(grep -o '<i class="idle" title="[0-9]* idle"' "$there/page" | wc -l)
test "$cells" = 1000 || fail "the page has $cells squares of idle children"
kill -SEGV "$(sed 's/ .*//' "/proc/$server/task/$server/children")"
until_is "a child has ended" idle 999
many=$(compare) || { echo "$many"; exit 1; }
width=$(timeout 120 python3 test/page/width.py "$there/narrow" 390 "http://$status/") || fail "a narrow page"
test "$width" = "390 " || fail "on a screen of 390 pixels the page needs $width"
size=$("$build/brood-load" --http / --requests 1 --show "$status" | wc -c)
test "$size" -lt 61440 || fail "the page has $size bytes"

# Connections and children that end in every way, behind a balancer as well.
serve brood-counting-test-server --listen=127.0.0.1:0 --listen=127.0.0.3:0,proxy --deny=127.0.0.2 --start-servers=8 \
  --min-spare-servers=2 --max-spare-servers=4 --max-clients=12 --max-requests-per-child=50
mkfifo "$there/until"
# Two words. The connection that stays open ends with the pipe.
python3 test/page/load.py "$build/broodctl" "$run" $addresses <"$there/until" >"$there/loaded" &
processes="$processes $!"
exec 9>"$there/until"
until_is "all connections have ended" grep -q ready "$there/loaded"
all=$(compare) || { echo "$all"; exit 1; }
serve brood-two-test-servers --left.listen=127.0.0.1:0 --right.listen=127.0.0.1:0 --left.max-clients=7
two=$(compare) || { echo "$two"; exit 1; }
echo "the page has $size bytes, fits into 390 pixels, no message came to the console, and $((many + all + two)) figures" \
  "are those of the server: passed"
