#!/bin/sh
# Usage: run.sh <folder with fuzz_* programs> <seconds each>. Ends with 1 if any of them found something.
# Each program stops after RVF_FUZZ_RUNS (1000000) executions or after the seconds, whichever is first. It starts
# from the frozen payloads of tests/golden/wire, from what fuzz_seeds makes, and from what was found before.
# One RELIABILITY line a program goes to <folder>/../reliability.log, which tools/reliability.py reads.
set -eu
folder=$1
seconds=$2
runs=${RVF_FUZZ_RUNS:-1000000}
here=$(dirname "$0")
golden=$here/../tests/golden/wire
log=$folder/../reliability.log
seeds=$(mktemp -d)
: >"$log"
[ ! -x "$folder/../seeds/fuzz_seeds" ] || "$folder/../seeds/fuzz_seeds" "$seeds"
failed=0
for program in "$folder"/fuzz_*; do
  name=$(basename "$program")
  target=${name#fuzz_}
  work=$(mktemp -d)
  mkdir -p "$work/corpus" "$work/none"
  for hex in "$golden/$target"*.hex; do
    [ ! -e "$hex" ] || xxd -r -p "$hex" "$work/corpus/$(basename "$hex" .hex)"
  done
  set --
  [ ! -d "$seeds/$target" ] || set -- "$seeds/$target"
  [ ! -d "$here/regressions/$target" ] || set -- "$@" "$here/regressions/$target"
  [ ! -e "$here/dictionaries/$target.dict" ] || set -- "$@" "-dict=$here/dictionaries/$target.dict"
  begin=$(date +%s)
  status=0
  "$program" -runs="$runs" -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=512 -timeout=10 -seed=20261121 \
    -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$@" >"$work/log" 2>&1 || status=1
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
  line=$(printf 'RELIABILITY {"figure": "fuzz %s", "runs": %d, "failures": %d, "seed": 20261121, "seconds": %d, "detail": "executions"}' \
    "$target" "${executed:-0}" "$status" $(($(date +%s) - begin)))
  echo "$line" >>"$log"
  if [ "$status" = 0 ]; then
    printf '%s %s\n' "$name" "$executed"
  else
    failed=1
    printf '%s FAILED\n' "$name"
    tail -n 40 "$work/log"
    for found in "$work"/crash-* "$work"/oom-* "$work"/timeout-* "$work"/leak-*; do
      [ ! -e "$found" ] || { cp "$found" "$folder/.."; echo "kept as $folder/../$(basename "$found")"; }
    done
  fi
  rm -r "$work"
done
rm -r "$seeds"
exit $failed
