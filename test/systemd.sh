#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make systemd` does: checks the units of etc/systemd, and runs a server under a real systemd, as process 1 of a
# namespace of its own: start, reload, upgrade, watchdog, stop, with the states that systemd documents. Needs root. Where
# systemd or the namespace can't be had, says so and is content.
build=$1
if test "$2" = inside; then
  here=$PWD
  output=$3
  mount --make-rprivate /
  mount -t tmpfs tmpfs /run
  mkdir -p /run/systemd/system
  printf '[Unit]\nDefaultDependencies=no\n' >/run/systemd/system/test.target
  cat >/run/systemd/system/echo.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=$here/$build/echo --listen=127.0.0.1:0 --runtime-directory=/run/echo --allow-root=yes --drain-delay=4s
ExecReload=/bin/kill -HUP \$MAINPID
WatchdogSec=3
Restart=on-failure
RestartSec=100ms
TimeoutStopSec=2
END
  cat >/run/systemd/system/named.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=notify
ExecStart=$here/$build/echo --listen=fd:main --listen=fd:other --runtime-directory=/run/named --allow-root=yes
END
  for name in main other; do
    printf '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/%s.sock\nFileDescriptorName=%s\nService=named.service\n' \
      $name $name >/run/systemd/system/named-$name.socket
  done
  (
    unit=echo
    of() { systemctl show $unit -p "$1" --value; }
    # Waits until a property has a value that matches.
    until_is() {
      tries=0
      until of "$1" | grep -Eq "^($2)$"; do
        tries=$((tries + 1))
        test $tries -lt 300 || { echo "FAILED: $1 is '$(of "$1")', not '$2'"; systemctl --force --force exit 1; sleep 100; }
        sleep 0.1
      done
      echo "$1: $(of "$1")"
    }
    until systemctl show >/dev/null 2>&1; do sleep 0.1; done
    echo "start: $(systemctl start echo 2>&1)"
    until_is ActiveState active
    until_is StatusText '0 busy, 5 spare, 0 waiting; 5 of 256 children'
    first=$(of MainPID)
    echo "reload: $(systemctl reload echo 2>&1)"
    until_is ActiveState active
    echo "upgrade"
    kill -USR2 "$first"
    until_is StatusText '0 busy, 5 spare, 0 waiting; 5 of 256 children'
    until_is MainPID "$first"
    until_is NRestarts 0
    echo "watchdog: the parent is stopped"
    kill -STOP "$first"
    until_is NRestarts 1
    until_is StatusText '0 busy, 5 spare, 0 waiting; 5 of 256 children'
    echo "stop: it takes longer than TimeoutStopSec $(systemctl stop --no-block echo 2>&1)"
    until_is StatusText 'draining; 0 busy, 5 spare, 0 waiting; 5 of 256 children'
    until_is ActiveState inactive
    until_is Result success
    unit=named
    echo "sockets by name: $(systemctl start named-main.socket named-other.socket named 2>&1)"
    until_is StatusText '0 busy, 5 spare, 0 waiting; 5 of 256 children'
    echo passed
    systemctl --force --force exit 0
  ) >"$output" 2>&1 &
  exec /lib/systemd/systemd --system --unit=test.target --log-target=null
fi

skip() { echo "systemd: skipped: $1"; exit 0; }
command -v systemd-analyze >/dev/null || skip "systemd is not installed"
units=$(mktemp -d) || exit 1
trap 'rm -rf "$units"' EXIT
for unit in etc/systemd/*.service; do
  systemd-analyze security --offline=yes --threshold=20 "$unit" >"$units/security" 2>&1 ||
    { cat "$units/security"; exit 1; }
  tail -n 1 "$units/security"
done
# With programs that are there.
for unit in etc/systemd/*.service etc/systemd/*.socket; do
  sed "s!^ExecStart=/usr/local/[^ ]*!ExecStart=/bin/true!" "$unit" >"$units/${unit##*/}"
done
cp "$units/brood@.service" "$units/brood@x.service"
cp "$units/brood@.socket" "$units/brood@x.socket"
for unit in brood.service brood@x.service brood@x.socket; do
  systemd-analyze verify --man=no "$units/$unit" || exit 1
done

test "$(id -u)" = 0 || skip "a systemd of its own needs root"
unshare --mount --pid --fork --mount-proc --cgroup true 2>/dev/null || skip "the kernel permits no namespaces"
timeout -s KILL 300 unshare --mount --pid --fork --kill-child --mount-proc --cgroup \
  sh "$0" "$build" inside "$units/output" >/dev/null 2>&1
test -s "$units/output" || skip "systemd does not start in a namespace here"
cat "$units/output"
grep -q '^passed$' "$units/output"
