#!/bin/sh
# SPDX-License-Identifier: MIT
# What etc/container/Containerfile copies, builds and installs is there: no builder of images is needed for that.
#   sh container.sh SOURCE BUILD PROGRAMS
source=$1
build=$2
programs=$3
file=$source/etc/container/Containerfile
fail() { echo "FAILED: $1"; exit 1; }
# The packages of the FROM with this number.
packages() {
  awk -v wanted="$1" '/^FROM/ { stage++ } stage == wanted && /install -y/ { on = 1; next } on && /&&/ { on = 0 } on' "$file" |
    tr -d '\\' | xargs -n 1 | sort
}

# The first stage builds these targets, without tests, with the packages that make run installs.
cmake -S "$source" -B "$build" -D BROOD_TESTS=OFF >/dev/null || exit 1
there=$(cmake --build "$build" --target help)
targets=$(sed -n 's/.*cmake --build .* --target \([a-z -]*[a-z]\).*/\1/p' "$file")
test -n "$targets" || fail "the Containerfile does not say what it builds"
for target in $targets; do
  echo "$there" | grep -qx "\.\.\. $target" || fail "there is no target $target"
done
test "$(packages 1)" = "$( (sed -n 's/^RUN_PACKAGES = //p' "$source/Makefile"; echo make) | xargs -n 1 | sort)" ||
  fail "the Makefile has other packages for a build"

# The second one has these files ...
sed -n 's/^COPY --from=build \(.*\) [^ ]*$/\1/p' "$file" | xargs -n 1 | while read -r copied; do
  test "${copied%/*}" = /source/build/release && test -x "$programs/${copied##*/}" || fail "nothing builds $copied"
done || exit 1
sed -n 's/^COPY \([^- ][^ ]*\) [^ ]*$/\1/p' "$file" | while read -r copied; do
  test -e "$source/$copied" || fail "there is no $copied"
done || exit 1
sed -n 's/^ENTRYPOINT \["\(.*\)"\]/\1/p; s/.* CMD \["\([a-z]*\)".*/\1/p' "$file" | while read -r run; do
  grep -q "^COPY --from=build.*/$run" "$file" || fail "$run is run, and was not copied"
done || exit 1

# ... and the libraries that these link with, of its packages or of those that debian:12-slim has.
grep -q 'VERSION_CODENAME=bookworm' /etc/os-release && command -v dpkg >/dev/null || exit 0
packages 2 | grep -qx libdw1 || fail "broodctl opens libdw.so.1 when it needs it"
for program in brood broodctl; do
  ldd "$programs/$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | while read -r library; do
    # It may be known by its path of before /usr was merged, and with a multiarch name.
    real=$(readlink -f "$library")
    package=$(dpkg -S "$library" 2>/dev/null || dpkg -S "$real" 2>/dev/null || dpkg -S "${real#/usr}" 2>/dev/null)
    package=${package%%:*}
    needed=$(packages 2)
    echo "$needed" | grep -qx "$package" && continue
    depends=$(dpkg-query -W -f '${Depends}, ${Pre-Depends}, ' $needed libc6 libgcc-s1 2>/dev/null | tr ',' '\n' | sed 's/^ *//; s/[ :].*//')
    # What these depend on, and two steps further.
    for step in 1 2; do
      depends="$depends $(dpkg-query -W -f '${Depends}, ' $depends 2>/dev/null | tr ',' '\n' | sed 's/^ *//; s/[ :].*//')"
    done
    echo "$depends libc6 libgcc-s1" | tr ' ' '\n' | grep -qx "$package" ||
      fail "$program needs $library of $package, which the image does not have"
  done || exit 1
done
