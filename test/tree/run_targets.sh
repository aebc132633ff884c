#!/bin/sh
# SPDX-License-Identifier: MIT
# `make run` needs nothing of the tests: all that it builds is there without doctest.
#   sh run_targets.sh SOURCE BUILD
source=$1
build=$2
cmake -S "$source" -B "$build" -DCMAKE_DISABLE_FIND_PACKAGE_doctest=ON >/dev/null || exit 1
there=$(cmake --build "$build" --target help)
targets=$(sed -n '/^run:/,/^$/s/.*--target //p' "$source/Makefile")
test -n "$targets" || { echo "the Makefile does not say what run builds"; exit 1; }
for target in $targets; do
  echo "$there" | grep -qx "\.\.\. $target" || { echo "make run builds $target, which is one of the tests"; exit 1; }
done
