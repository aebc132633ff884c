#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows a service in a few lines of shell. It is run for each connection, which is its standard input and output.
#
#   command = /path/to/per_connection.sh
#   command-gets = connection
#
# "who" is answered with the client's address, "bye" ends the connection, any other line is sent back.
while IFS= read -r line; do
  case $line in
    who) echo "$TCPREMOTEIP" ;;
    bye) exit 0 ;;
    *) printf '%s\n' "$line" ;;
  esac
done
