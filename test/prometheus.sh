#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make prometheus` does: checks the metrics and etc/prometheus with promtool, and has a real prometheus ask a
# server for a minute, over reloads, upgrades, and the end of children. Where prometheus is not installed, says so and
# is content.
build=$1
skip() { echo "prometheus: skipped: $1"; exit 0; }
command -v promtool >/dev/null && command -v prometheus >/dev/null || skip "prometheus is not installed"
. test/support/servers.sh

cp etc/prometheus/alerts.yml test/prometheus_rules.yml "$there"
promtool check rules "$there/alerts.yml" || fail "the alert rules"
promtool test rules "$there/prometheus_rules.yml" || fail "the alerts"

# Another one if it is taken, by whoever.
port=$(shuf -i 20000-29999 -n 1)
serve echo --listen=127.0.0.1:0
sed -e "s/127.0.0.1:8081/$status/" -e 's/: 15s/: 2s/' etc/prometheus/prometheus.yml >"$there/prometheus.yml"
promtool check config "$there/prometheus.yml" || fail "the configuration"
prometheus --config.file="$there/prometheus.yml" --storage.tsdb.path="$there/data" \
  --web.listen-address="127.0.0.1:$port" >"$there/prometheus.log" 2>&1 &
processes="$processes $!"

# promtool prints a value in front of the '@'.
ask() { promtool query instant "http://127.0.0.1:$port" "$1" 2>"$there/error" || fail "$1: $(cat "$there/error")"; }
value() { ask "$1" | sed -n 's/.*=> \([^ ]*\) @.*/\1/p'; }
is() {
  got=$(value "$1")
  test "$got" = "$2" || fail "$1 is '$got', not '$2'"
  echo "$1 = $2"
}
tries=0
until promtool query instant "http://127.0.0.1:$port" 'brood_ready == 1' 2>/dev/null | grep -q '=> 1 '; do
  tries=$((tries + 1))
  test $tries -lt 300 || { cat "$there/prometheus.log"; fail "prometheus sees no server"; }
  sleep 0.2
done

"$build/brood-load" --http /metrics --requests 1 --show "$status" 2>/dev/null | sed '1,/^.\{0,1\}$/d' >"$there/metrics"
promtool check metrics <"$there/metrics" || fail "the metrics"

echo "60 seconds with load, reloads, upgrades and kills"
round=0
while test $round -lt 10; do
  "$build/brood-load" --seconds 4 --concurrency 4 "$address" >/dev/null 2>&1
  case $((round % 3)) in
    0) kill -HUP "$server" ;;
    1) kill -USR2 "$server" ;;
    2) # Not the process that may be answering prometheus.
      for child in $(cat "/proc/$server/task/$server/children"); do
        test "$(cat "/proc/$child/comm")" = echo && kill -KILL "$child"
      done 2>/dev/null ;;
  esac
  sleep 2
  round=$((round + 1))
done

is 'min_over_time(up{job="brood"}[50s])' 1
is 'max(max_over_time(scrape_samples_scraped{job="brood"}[50s]) - min_over_time(scrape_samples_scraped{job="brood"}[50s]))' 0
for counter in connections_accepted_total connections_total connection_duration_seconds_bucket read_bytes_total \
  children_started_total children_ended_total children_failed_total children_ends_total wait_seconds_bucket \
  upgrades_total; do
  is "max(resets(brood_$counter[50s]))" 0
done
is 'sum(prometheus_target_scrapes_sample_duplicate_timestamp_total) or vector(0)' 0
test "$(value 'sum(brood_connections_accepted_total)')" != 0 || fail "no connection was counted"
is 'max(brood_upgrades_total)' 3
is 'sum(brood_children_ends_total) - sum(brood_children_ended_total)' 0

# The expressions of the dashboard, with what Grafana puts in. Those of the alerts were run all the time.
sed -n 's/^ *"expr": "\(.*\)",$/\1/p' etc/prometheus/dashboard.json |
  sed -e 's/\\"/"/g' -e 's/\$__rate_interval/30s/g' -e 's/\$instance/.*/g' -e 's/\$service/.*/g' >"$there/expressions"
while read -r expression; do
  test -n "$(value "$expression")" || fail "the dashboard has an expression without a value: $expression"
done <"$there/expressions"
echo "$(wc -l <"$there/expressions") expressions of the dashboard have values"
grep -E 'level=(warn|error)' "$there/prometheus.log" && fail "the log of prometheus"
echo passed
