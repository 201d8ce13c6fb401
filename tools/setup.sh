#!/bin/sh
# Usage: setup.sh build|test|lint|fuzz|package
# Sees to it that what this step needs is installed (Debian 12 and 13, and what derives from them). Does
# nothing, in a few milliseconds, when all is there. RVF_NO_SETUP=1 leaves the machine alone.
set -eu

build="cmake ninja-build g++ pkg-config libfmt-dev libcli11-dev libsimdjson-dev libzstd-dev liblz4-dev
  libxxhash-dev zlib1g-dev"
package="$build dpkg-dev file"
test="$package libgtest-dev python3"
case ${1:-build} in
  build) wanted=$build ;;
  test) wanted=$test ;;
  package) wanted=$package ;;
  lint) wanted="$test clang-tidy-19 clang-format-19" ;;
  fuzz) wanted="$test clang-19 llvm-19 libclang-rt-19-dev xxd" ;;
  *) echo "usage: setup.sh build|test|lint|fuzz|package" >&2; exit 2 ;;
esac
[ "${RVF_NO_SETUP:-}" = "" ] || exit 0

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "setup: not a Debian system; going on as if these were installed, whatever they are called here:" >&2
  echo "  "$wanted >&2
  exit 0
fi

missing() {
  # pkgconf provides pkg-config, and a virtual package has no state of its own: ask for the program.
  for package in $wanted; do
    if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null 2>&1; then continue; fi
    case $(dpkg-query -W -f='${db:Status-Abbrev}\n' "$package" 2>/dev/null || true) in
      *i\ *|ii*|hi*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# One call for the usual case, that nothing is missing.
if [ "$(dpkg-query -W -f='${db:Status-Status}\n' $wanted 2>/dev/null | grep -cx installed)" \
    -ge "$(echo $wanted | wc -w)" ]; then
  exit 0
fi
need=$(missing)
[ -n "$need" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1; then
  as_root=sudo
else
  echo "setup: these packages are missing; install them as root:" >&2
  echo "  apt-get install $need" >&2
  exit 1
fi
echo "setup: installing $need"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get -qq update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y --no-install-recommends install $need; } </dev/null >"$log" 2>&1; then
  cat "$log" >&2
  echo "setup: could not install: $need" >&2
  exit 1
fi
