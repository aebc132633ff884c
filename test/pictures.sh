#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make pictures` does: has `broodctl simulate` draw the load of the example in brood_admin(8). Then runs greeter
# under a load that rises and falls for two minutes, and makes the pictures of the README from what `broodctl top` and
# the page of status-listen show then. Only this needs chromium, tmux and aha.
build=$1
to=$2
mkdir -p "$to"
"$build/broodctl" simulate --load='200/s for 20s, 600/s for 10s, 200/s for 30s' --service-time=55ms \
  --max-clients=20 --start-servers=15 --min-spare-servers=4 --max-spare-servers=10 \
  --svg="$to/simulate.svg" >/dev/null || exit 1
for program in chromium tmux aha; do
  command -v $program >/dev/null || { echo "pictures: $program is not installed: apt-get install chromium tmux aha"; exit 1; }
done
. test/support/servers.sh
trap 'tmux -S "$there/tmux" kill-server 2>/dev/null; end' EXIT
serve greeter --listen=127.0.0.1:0 --min-spare-servers=4 --max-spare-servers=8 --max-clients=40 --idle-timeout=15s

# NAME SECONDS CLIENTS HOLD
load() { "$build/brood-load" --payload "$1" --seconds "$2" --concurrency "$3" --hold "$4" "$address" >/dev/null; }
load Grace 125 3 0.05 &
load Dennis 125 4 9 &
for clients in 6 14 28 12 20; do
  sleep 8
  load Barbara 12 "$clients" 0.4
done &
tmux -S "$there/tmux" new-session -d -x 112 -y 36 "$build/broodctl --runtime-directory=$run top"
sleep 110
tmux -S "$there/tmux" capture-pane -e -p >"$there/top" || fail "tmux shows nothing"

# FILE URL WIDTH HEIGHT
picture() {
  chromium --headless=new --no-sandbox --disable-gpu --user-data-dir="$there/chromium" --hide-scrollbars \
    --virtual-time-budget=700 --window-size="$3,$4" --screenshot="$there/$1" "$2" 2>"$there/messages" ||
    fail "chromium: $(cat "$there/messages")"
  test -s "$there/$1" || fail "chromium made no picture of $2"
  mv "$there/$1" "$to/$1"
}
aha --black --title top --style 'font: 15px/18px monospace; margin: 10px' <"$there/top" >"$there/top.html"
picture top.png "file://$there/top.html" 1030 670
picture page.png "http://$status/" 1100 1000
echo "the pictures are in $to"
