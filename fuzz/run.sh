#!/bin/bash
# Usage: run.sh <folder with fuzz_* programs> <seconds each> [programs at once]. Ends with 1 if any found something.
# Each program stops after RVF_FUZZ_RUNS (1000000) executions or after the seconds, whichever comes first. It starts
# from the frozen payloads of tests/golden/wire, from what fuzz_seeds makes, from kept findings and from the
# corpus of earlier runs, <folder>/../corpus. One RELIABILITY line a program goes to <folder>/../reliability.log,
# which tools/reliability.py reads; a finding to <folder>/../findings.
set -eu
folder=$1
seconds=$2
jobs=${3:-2}
here=$(cd "$(dirname "$0")" && pwd)
base=$(cd "$folder/.." && pwd)
seeds=$(mktemp -d)
trap 'rm -r "$seeds"' EXIT
mkdir -p "$base/findings" "$base/logs"
rm -f "$base/logs"/*.line
[ ! -x "$base/fuzz_tools/fuzz_seeds" ] || "$base/fuzz_tools/fuzz_seeds" "$seeds"

fuzz_one() {
  local program=$1 name target corpus log begin status=0 executed length=8192
  name=$(basename "$program")
  target=${name#fuzz_}
  corpus=$base/corpus/$target
  log=$base/logs/$target.log
  mkdir -p "$corpus"
  for hex in "$here/../tests/golden/wire/$target"*.hex; do
    [ ! -e "$hex" ] || xxd -r -p "$hex" "$corpus/$(basename "$hex" .hex)"
  done
  local arguments=()
  [ ! -d "$seeds/$target" ] || arguments+=("$seeds/$target")
  [ ! -d "$here/regressions/$target" ] || arguments+=("$here/regressions/$target")
  [ ! -e "$here/dictionaries/$target.dict" ] || arguments+=("-dict=$here/dictionaries/$target.dict")
  case $target in store|convert) length=65536 ;; esac
  begin=$SECONDS
  "$program" "${limits[@]}" -runs="${RVF_FUZZ_RUNS:-1000000}" -max_len=$length \
    -artifact_prefix="$base/findings/$target-" "$corpus" "${arguments[@]}" >"$log" 2>&1 || status=1
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  printf 'RELIABILITY {"figure": "fuzz %s", "runs": %d, "failures": %d, "seed": 20261121, "seconds": %d, "detail": "executions"}\n' \
    "$target" "${executed:-0}" "$status" $((SECONDS - begin)) >"$base/logs/$target.line"
  if [ "$status" = 0 ]; then
    printf '%s %s\n' "$name" "$executed"
  else
    printf '%s FAILED\n%s\n' "$name" "$(tail -n 40 "$log")"
  fi
}

# Short stacks and a small quarantine: whole files allocate so much that they would take half of the time.
export ASAN_OPTIONS=malloc_context_size=4:quarantine_size_mb=16:thread_local_quarantine_size_kb=64
limits=(-max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -seed=20261121 -print_final_stats=1)

# Programs with a known mistake: a run that does not find it would not find others either.
for program in "$base/fuzz_planted"/planted_*; do
  [ -x "$program" ] || continue
  missed=0
  begin=$SECONDS
  if "$program" "${limits[@]}" -max_len=8192 -artifact_prefix="$seeds/" >"$base/logs/planted.log" 2>&1; then
    missed=1
    echo "$(basename "$program") FAILED: its mistake was not found"
  fi
  printf 'RELIABILITY {"figure": "planted: %s", "runs": 1, "failures": %d, "seed": 20261121, "seconds": %d, "detail": ""}\n' \
    "${program##*planted_}" "$missed" $((SECONDS - begin)) >"$base/logs/$(basename "$program").line"
done
for program in "$folder"/fuzz_*; do
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  fuzz_one "$program" &
done
wait
cat "$base/logs"/*.line >"$base/reliability.log"
count=$(grep -c '"fuzz ' "$base/reliability.log")
failed=$(grep -c '"failures": 1' "$base/reliability.log" || true)
echo "$count targets, $failed with findings"
[ "$failed" = 0 ]
