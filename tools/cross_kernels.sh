#!/bin/sh
# Usage: cross_kernels.sh [aarch64|wasm]...
# Compiles src/kernels and its tests for other processors and runs them here: AArch64 in qemu, once
# with all extensions and once without any, WebAssembly in node. Builds in build/cross. What lacks a
# tool is skipped with a line that says which; fails if a compilation or a test does.
#   Debian: g++-aarch64-linux-gnu qemu-user-static libgtest-dev clang-19 lld-19 wasi-libc
#           libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 nodejs
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
gtest=${GTEST_ROOT:-/usr/src/googletest/googletest}
tests="kernels_test codes_test convert_test range_scan_test"
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror"
common="-std=c++20 -O2 -ffp-contract=off -I$root/src -I$root/include -isystem $gtest/include"

# Each source that is of no instruction set, as src/kernels/CMakeLists.txt has them.
portable() {
  for file in "$root"/src/kernels/*.cpp; do
    name=$(basename "$file" .cpp)
    case $name in *_test | *avx* | neon* | wasm) ;; *) echo "$name" ;; esac
  done
}

skip() { echo "skipped: $1 kernels: $2"; }

have() { command -v "$1" >/dev/null 2>&1; }

# compile_all <compiler and its flags>: into the current folder.
compile_all() {
  for name in $(portable) $tests; do
    "$@" $common $warnings -c "$root/src/kernels/$name.cpp" -o "$name.o"
  done
  "$@" $common $warnings -c "$root/src/types/names.cpp" -o names.o
  for name in gtest-all gtest_main; do
    [ -f "$name.o" ] || "$@" $common -I"$gtest" -c "$gtest/src/$name.cc" -o "$name.o"
  done
}

enter() {
  mkdir -p "$root/build/cross/$1"
  cd "$root/build/cross/$1"
  # A test or source that is gone must not stay linked; that of googletest does not change.
  find . -name '*.o' ! -name 'gtest*' -delete
}

# summary <name> <command>...: runs a test program and prints its last line, or all if it fails.
summary() {
  what=$1
  shift
  if "$@" >test.log 2>&1; then
    echo "$what kernels: $(grep -E '^\[  PASSED' test.log)"
  else
    cat test.log
    echo "$what kernels: failed" >&2
    exit 1
  fi
}

aarch64() {
  have aarch64-linux-gnu-g++ || { skip aarch64 "no aarch64-linux-gnu-g++"; return 0; }
  qemu=
  for name in qemu-aarch64-static qemu-aarch64; do have $name && qemu=$name && break; done
  enter aarch64
  compile_all aarch64-linux-gnu-g++ -DRVF_KERNELS_NEON=1
  set -- $common $warnings -DRVF_KERNELS_NEON=1
  aarch64-linux-gnu-g++ "$@" -march=armv8-a -c "$root/src/kernels/neon.cpp" -o neon.o
  aarch64-linux-gnu-g++ "$@" -march=armv8.2-a+dotprod -c "$root/src/kernels/neondot.cpp" -o neondot.o
  # Static, so that no root file system of the other processor is needed; gtest's use of sockets,
  # which the linker then warns of, is never reached.
  aarch64-linux-gnu-g++ -static ./*.o -o kernels_test 2>link.log || { cat link.log >&2; exit 1; }
  [ -n "$qemu" ] || { skip aarch64 "compiled, but no qemu-aarch64 to run them"; return 0; }
  summary "aarch64 (dot product)" "$qemu" -cpu max ./kernels_test
  summary "aarch64 (plain)" "$qemu" -cpu cortex-a53 ./kernels_test
}

wasm() {
  have clang++-19 || { skip wasm "no clang++-19"; return 0; }
  have wasm-ld-19 || { skip wasm "no wasm-ld-19"; return 0; }
  [ -d /usr/include/wasm32-wasi ] || { skip wasm "no wasi-libc"; return 0; }
  [ -f /usr/lib/wasm32-wasi/libc++.a ] || { skip wasm "no libc++-19-dev-wasm32"; return 0; }
  enter wasm
  set -- clang++-19 --target=wasm32-wasi -msimd128 -fno-exceptions -fno-rtti \
    -DRVF_KERNELS_WASM128=1 -DGTEST_HAS_EXCEPTIONS=0 -DGTEST_HAS_RTTI=0 -DGTEST_HAS_PTHREAD=0 \
    -DGTEST_HAS_DEATH_TEST=0 -DGTEST_HAS_STREAM_REDIRECTION=0 -D_WASI_EMULATED_SIGNAL \
    -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_GETPID
  compile_all "$@"
  "$@" $common $warnings -c "$root/src/kernels/wasm.cpp" -o wasm.o
  clang++-19 --target=wasm32-wasi ./*.o -lwasi-emulated-signal -lwasi-emulated-process-clocks \
    -lwasi-emulated-getpid -o kernels_test.wasm
  have node || { skip wasm "compiled, but no node to run them"; return 0; }
  summary wasm128 node --no-warnings "$root/tools/run_wasi.mjs" kernels_test.wasm
}

[ -f "$gtest/src/gtest-all.cc" ] || { skip cross "no sources of googletest in $gtest"; exit 0; }
[ $# -gt 0 ] || set -- aarch64 wasm
for target in "$@"; do
  case $target in
    aarch64 | wasm) (set -eu; "$target") ;;
    *) echo "usage: cross_kernels.sh [aarch64|wasm]..." >&2; exit 2 ;;
  esac
done
