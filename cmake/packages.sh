#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are named and missing; a user who is not root is shown the line to run.
command -v dpkg-query >/dev/null || exit 0
missing=
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
test -z "$missing" && exit 0
if test "$(id -u)" != 0; then
  echo "missing packages; run:  sudo apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "installing$missing"
apt-get update -qq || exit 1
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
