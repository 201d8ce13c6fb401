#!/bin/bash
# Usage: RVF=path/to/rvf run.sh [folder for the virtual environment, build/importers]
# Installs the libraries of tools/importers.txt and imports a small source of every format. A format whose library
# cannot be installed is skipped and named. Ends with 1 if a test failed.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=${1:-$root/build/importers}
if [ ! -x "${RVF:-}" ]; then
  echo "run.sh: set RVF to the path of the rvf command" >&2
  exit 1
fi
RVF=$(realpath "$RVF")
export RVF
if [ ! -x "$venv/bin/python" ]; then
  "${PYTHON:-python3}" -m venv "$venv" || exit 1
fi
missing=()
while read -r requirement; do
  case $requirement in '' | '#'*) continue ;; esac
  # One by one: what cannot be had here must not keep the others away.
  if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "$requirement" >"$venv/pip.log" 2>&1; then
    missing+=("$requirement")
    tail -n 1 "$venv/pip.log" >&2
  fi
done <"$root/tools/importers.txt"
failed=0
# A process a format: their libraries bring allocators and OpenMP runtimes that do not get along.
for format in Parquet Faiss Hnswlib Usearch SqliteVec Qdrant LanceDb Chroma NoFormat; do
  if "$venv/bin/python" "$root/tests/importers/test_importers.py" "$format" >"$venv/$format.log" 2>&1; then
    result=$(grep -oE '^OK( \(skipped=[0-9]+\))?' "$venv/$format.log" | tail -n 1)
    reason=$(grep -oE "skipped ['\"].*" "$venv/$format.log" | sort -u | head -n 1)
  else
    failed=1
    result=FAILED
    reason=
    tail -n 60 "$venv/$format.log"
  fi
  printf '%-10s %s %s\n' "$format" "$result" "$reason"
done
[ ${#missing[@]} -eq 0 ] || printf 'not installed: %s\n' "${missing[*]}"
exit $failed
