#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make daemons` does: runs the daemons of Debian that are installed as services of brood, begins a request of
# 3 seconds at each, reloads, and sees whether each request is answered whole, and the next one by new processes.
# The settings of etc/daemons are used, with addresses of this test. Needs root, and python3 for the clients.
build=$1
test "$(id -u)" = 0 || { echo "daemons: skipped: needs root"; exit 0; }
command -v python3 >/dev/null || { echo "daemons: skipped: python3 is not installed"; exit 0; }
. test/support/servers.sh
chmod 755 "$there"
mkdir "$there/services" "$there/web" "$there/began"
chmod 777 "$there/began"
names=
# DAEMON KIND: the file of its service comes from standard input.
service() {
  names="$names $1"
  eval "kind_$1=$2"
  cat >"$there/services/$1.conf"
}
has() { command -v "$1" >/dev/null || { echo "$2: not installed"; return 1; }; }
# DAEMON KIND COMMAND: with the settings of etc/daemons, at a socket of this test.
shipped() {
  names="$names $1"
  eval "kind_$(echo "$1" | tr - _)=$2"
  sed -e '/^#/d' -e "s!^listen = .*!listen = unix:$there/$1.sock,mode=0666!" -e "s!^command = .*!command = $3!" \
    "etc/daemons/$1.conf" >"$there/services/$1.conf"
  echo 'allow-root = yes' >>"$there/services/$1.conf"
}
head -c 300000 /dev/zero >"$there/web/slow"
cp "$there/web/slow" "$there/web/fast"
printf 'built-in = echo\nlisten = unix:%s/echo.sock\nallow-root = yes\n' "$there" >"$there/services/echo.conf"

if has git git; then
  git init -q "$there/repository" && git -C "$there/repository" -c user.name=x -c user.email=x@x commit -q --allow-empty -m x
  service git git <<END
command = $(command -v git) -c safe.directory=* daemon --inetd --export-all --base-path=$there $there
command-gets = connection
listen = 127.0.0.1:0
allow-root = yes
END
fi
if has rsync rsync; then
  printf 'use chroot = no\nuid = 0\ngid = 0\n[web]\npath = %s/web\n' "$there" >"$there/rsyncd.conf"
  service rsync rsync <<END
command = $(command -v rsync) --daemon --config=$there/rsyncd.conf
command-gets = connection
listen = 127.0.0.1:0
allow-root = yes
END
fi
if has sshd sshd && has ssh ssh; then
  mkdir -p /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f "$there/host_key"
  ssh-keygen -q -t ed25519 -N '' -f "$there/key"
  printf 'HostKey %s/host_key\nAuthorizedKeysFile %s/key.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n' \
    "$there" "$there" >"$there/sshd_config"
  service sshd ssh <<END
command = $(command -v sshd) -i -e -f $there/sshd_config
command-gets = connection
listen = 127.0.0.1:0
success-codes = 0
success-codes = 255
allow-root = yes
END
fi
if has stunnel4 stunnel && has openssl openssl; then
  openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=here -days 2 -keyout "$there/tls.pem" -out "$there/cert.pem" 2>/dev/null
  cat "$there/cert.pem" >>"$there/tls.pem"
  printf 'cert = %s/tls.pem\nconnect = %s/echo.sock\n' "$there" "$there" >"$there/stunnel.conf"
  service stunnel tls <<END
command = $(command -v stunnel4) $there/stunnel.conf
command-gets = connection
listen = 127.0.0.1:0
allow-root = yes
END
fi
if has gunicorn gunicorn; then
  cat >"$there/app.py" <<END
import time
def application(environment, start):
    pause, began = environment["QUERY_STRING"].split("&")
    open(began, "w").close()
    time.sleep(int(pause))
    start("200 OK", [])
    return [b"the whole answer"]
END
  service gunicorn http <<END
command = $(command -v gunicorn) --chdir $there --workers 2 app:application
command-gets = listeners
start-servers = 1
listen = unix:$there/gunicorn.sock
allow-root = yes
END
fi
if has unicorn unicorn; then
  printf 'worker_processes 2\nlisten "%s/unicorn.sock"\n' "$there" >"$there/unicorn.rb"
  cat >"$there/config.ru" <<END
run lambda { |environment|
  pause, began = environment["QUERY_STRING"].split("&")
  File.write(began, "")
  sleep pause.to_i
  [200, {}, ["the whole answer"]]
}
END
  shipped unicorn http "$(command -v unicorn) -c $there/unicorn.rb $there/config.ru"
fi
if has php-fpm8.2 php-fpm; then
  cat >"$there/slow.php" <<'END'
<?php
[$pause, $began] = explode('&', $_SERVER['QUERY_STRING']);
touch($began);
sleep((int)$pause);
echo 'the whole answer';
END
  cat >"$there/php-fpm.conf" <<END
[global]
error_log = /dev/null
process_control_timeout = 30s
[www]
user = nobody
group = nogroup
listen = /nowhere/php.sock
pm = static
pm.max_children = 2
END
  shipped php-fpm fastcgi "$(command -v php-fpm8.2) --nodaemonize --fpm-config $there/php-fpm.conf"
fi
if has nginx nginx; then
  cat >"$there/nginx.conf" <<END
daemon off;
user root;
pid $there/nginx.pid;
error_log $there/nginx.log;
events {}
http {
  access_log off;
  client_body_temp_path $there/n1; proxy_temp_path $there/n2; fastcgi_temp_path $there/n3;
  uwsgi_temp_path $there/n4; scgi_temp_path $there/n5;
  server {
    listen unix:$there/nginx.sock;
    root $there/web;
    location = /slow { limit_rate 100k; }
  }
}
END
  shipped nginx http_file "$(command -v nginx) -c $there/nginx.conf"
fi
if has haproxy haproxy; then
  cat >"$there/haproxy.cfg" <<END
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen echo
  bind fd@3
  server one unix@$there/echo.sock
END
  shipped haproxy in_halves "$(command -v haproxy) -db -f $there/haproxy.cfg"
fi
test -n "$names" || { echo "daemons: skipped: none is installed"; exit 0; }

serve brood --config-directory="$there/services" --graceful-timeout=1m
ctl() { "$build/broodctl" --runtime-directory="$run" "$@"; }
grep -q 'left out' "$run/log" && { cat "$run/log"; fail "a service was left out"; }
address_of() { ctl list --json | python3 -c '
import json, sys
for service in json.load(sys.stdin)["services"]:
    if service["name"] == sys.argv[1]: print(service["listeners"].split()[0])' "$1"; }

# NAME ROUND [fast]: one request; its exit code is in NAME.ROUND.code.
request() {
  eval "kind=\$kind_$(echo "$1" | tr - _)"
  at=$(address_of "$1")
  began=$there/began/$1.$2
  case $kind in
    rsync)
      from=rsync://$at/web/fast
      test -z "$3" && from="--bwlimit=100 rsync://$at/web/slow"
      rsync --timeout=60 $from "$began" && test "$(wc -c <"$began")" = 300000
      ;;
    ssh)
      test "$(ssh -n -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i "$there/key" \
        -p "${at##*:}" root@127.0.0.1 "touch $began; test -n '$3' || sleep 3; echo whole")" = whole
      ;;
    *) SCRIPT=$there/slow.php python3 test/support/slow_request.py "$kind" "$at" "$began" $3 ;;
  esac
  echo $? >"$there/$1.$2.code"
}
has_begun() { ls -A "$there/began" | grep -q "^\.*$1\.slow"; }
for name in $names; do
  request "$name" first fast
  test "$(cat "$there/$name.first.code")" = 0 || { cat "$run/log"; fail "$name does not answer"; }
done
for name in $names; do request "$name" slow & done
for name in $names; do until_is "$name has its request" has_begun "$name"; done
ctl reload >"$there/reload" 2>&1 || { cat "$there/reload" "$run/log"; fail "the reload"; }
failed=
for name in $names; do
  until_is "$name has answered" test -s "$there/$name.slow.code"
  request "$name" last fast
  generation=$(ctl list --json | python3 -c '
import json, sys
print(*[s["generation"] for s in json.load(sys.stdin)["services"] if s["name"] == sys.argv[1]])' "$name")
  if test "$(cat "$there/$name.slow.code")$(cat "$there/$name.last.code")" = 00 && test "$generation" = 2; then
    echo "$name: a reload with a request of 3 seconds: 0 cut"
  else
    echo "$name: FAILED: $(cat "$there/$name.slow.code") $(cat "$there/$name.last.code"), generation $generation"
    failed="$failed $name"
  fi
done
test -z "$failed" || { cat "$there/reload" "$run/log"; fail "cut at a reload:$failed"; }
