#!/bin/sh
# Usage: run.sh <folder with fuzz_* programs> <seconds each>. Ends with 1 if any of them found something.
# The frozen payloads of tests/golden/wire are what each program starts from.
set -eu
folder=$1
seconds=$2
golden=$(dirname "$0")/../tests/golden/wire
failed=0
for program in "$folder"/fuzz_*; do
  name=$(basename "$program")
  work=$(mktemp -d)
  mkdir "$work/corpus"
  for hex in "$golden/${name#fuzz_}"*.hex; do
    [ ! -e "$hex" ] || xxd -r -p "$hex" "$work/corpus/$(basename "$hex" .hex)"
  done
  if "$program" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=512 -timeout=10 \
      -print_final_stats=1 "$work/corpus" >"$work/log" 2>&1; then
    printf '%s %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
  else
    failed=1
    printf '%s FAILED\n' "$name"
    tail -n 40 "$work/log"
  fi
  rm -r "$work"
done
exit $failed
