#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make lint` does: clang-format over every file, clang-tidy over the sources and the examples. Rooms are read as
# they are compiled, several files at once: what a header costs is paid once. The tests would take ten times as long.
jobs=$1
build=build/lint
git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 --dry-run -Werror || exit 1
cmake --preset lint >/dev/null || exit 1
files=$(sed -n 's/^  "file": "\(.*\)",\{0,1\}$/\1/p' $build/compile_commands.json | grep -E "^$PWD/($build/)?(src|example)/" |
  while read -r file; do test -e "$file" && echo "$file"; done)  # but what the build itself makes
count=$(echo "$files" | wc -l)
echo "clang-tidy over $count translation units"
echo "$files" | xargs -P "$jobs" -n 1 sh -c '
  out=$(clang-tidy-19 -p '$build' --quiet "$0" 2>/dev/null) && exit 0
  echo "$out"; exit 1' || { echo "lint: clang-tidy found something"; exit 1; }
echo "lint: nothing found"
