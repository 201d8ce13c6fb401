#!/bin/sh
# Usage: coverage.sh <build folder> <corpus>. Replays the corpus, the kept findings and the seeds with clang's
# source-based coverage, and prints the lines that were reached in src/wire and src/manifest.
set -eu
build=$1
corpus=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
LLVM_PROFILE_FILE="$work/seeds.raw" "$build/fuzz_tools/fuzz_seeds" "$work/seeds"
LLVM_PROFILE_FILE="$work/replay.raw" "$build/fuzz_tools/fuzz_replay" "$corpus" "$here/regressions" "$work/seeds" \
  >"$work/log" || { tail -n 5 "$work/log"; exit 1; }
llvm-profdata-19 merge -o "$work/replay.data" "$work/replay.raw"
for part in wire manifest; do
  llvm-cov-19 report "$build/fuzz_tools/fuzz_replay" -instr-profile="$work/replay.data" \
    -ignore-filename-regex='_test\.cpp$' "$here/../src/$part" >"$build/coverage-$part.txt"
  echo "src/$part: $(awk '/^TOTAL/ { print $10 }' "$build/coverage-$part.txt") of lines ($build/coverage-$part.txt)"
done
