#!/bin/sh
# SPDX-License-Identifier: MIT
# What `make io-uring` does: builds AsyncServer on io_uring in build/io-uring, and runs its tests. Debian 12 can't have
# its default Boost, which is too old for that, beside a newer one: so the newer one's packages are unpacked into the
# build directory, by any user. Its liburing is too old as well, by one line of a header, which is added there. Where the
# packages can't be had, or the kernel forbids io_uring, says so and is content.
jobs=$1
build=build/io-uring
packages="libboost1.81-dev libboost-program-options1.81-dev libboost-program-options1.81.0 liburing-dev liburing2"
skip() { echo "io-uring: skipped: $1"; exit 0; }

command -v dpkg-deb >/dev/null || skip "this is no Debian; with Boost 1.78 and liburing 2.4 use cmake -DBROOD_IO_URING=ON"
root=$PWD/$build/root
if ! test -f "$root/complete"; then
  mkdir -p "$build/packages" "$root" || exit 1
  (cd "$build/packages" && apt-get download $packages >download.log 2>&1) ||
    skip "the packages can't be had, see $build/packages/download.log: $packages"
  for package in "$build"/packages/*.deb; do dpkg-deb -x "$package" "$root" || exit 1; done
  # What liburing 2.4 does, and cmake/io_uring.cmake asks for.
  sed -i 's/^\(\s*\)sqe = &sq->sqes\[.*/&\n\1sqe->user_data = 0;/' "$root/usr/include/liburing.h" || exit 1
  touch "$root/complete"
fi

libraries=$(dirname "$(find "$root" -name 'libboost_program_options.so')")
cmake -S . -B $build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBROOD_IO_URING=ON -DBoost_NO_SYSTEM_PATHS=ON \
  -DCMAKE_PREFIX_PATH="$root/usr" -DBoost_DIR="$libraries/cmake/Boost-1.81.0" \
  -DLIBURING_INCLUDE_DIR="$root/usr/include" -DLIBURING_LIBRARY="$libraries/liburing.so" >$build/configure.log 2>&1 ||
  { cat $build/configure.log; exit 1; }
cmake --build $build -j "$jobs" --target io-uring-probe || exit 1
why=$($build/io-uring-probe) || skip "the kernel says: $why"
cmake --build $build -j "$jobs" --target live_models pattern_proactor || exit 1
ctest --test-dir $build -j $((2 * jobs)) --output-on-failure -L '^models$' --no-tests=error
