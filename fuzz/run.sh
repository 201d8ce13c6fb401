#!/bin/sh
# Usage: run.sh <folder with fuzz_* programs> <seconds each>. Ends with 1 if any of them found something.
set -eu
folder=$1
seconds=$2
failed=0
for program in "$folder"/fuzz_*; do
  log=$(mktemp)
  if "$program" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=512 -timeout=10 -print_final_stats=1 \
      >"$log" 2>&1; then
    printf '%s %s\n' "$(basename "$program")" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    failed=1
    printf '%s FAILED\n' "$(basename "$program")"
    tail -n 40 "$log"
  fi
  rm -f "$log"
done
exit $failed
