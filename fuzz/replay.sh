#!/bin/sh
# Usage: replay.sh <fuzz_replay> <fuzz_seeds> <fuzz folder>. The test of `make test`: everything that fuzzing found
# and that is kept, and the seeds of today, go through every target once.
set -eu
seeds=$(mktemp -d)
trap 'rm -r "$seeds"' EXIT
"$2" "$seeds"
"$1" "$3/regressions" "$seeds"
