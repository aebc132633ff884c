#!/bin/sh
# SPDX-License-Identifier: MIT
# A service in a few lines of shell: run for each connection, which is its standard input and output.
#
#   command = /path/to/per_connection.sh
#   command-gets = connection
#
# "who" answers the client's address, "bye" ends, everything else is said again.
while IFS= read -r line; do
  case $line in
    who) echo "$TCPREMOTEIP" ;;
    bye) exit 0 ;;
    *) printf '%s\n' "$line" ;;
  esac
done
