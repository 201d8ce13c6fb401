#!/usr/bin/env bash
# The main job on real input: this machine's documentation and the project's own, in one searchable file.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
data="${RVF_DATA:-$root/../shared/data}"
arguments=(--text /usr/share/doc --text "$root/docs" --text "$root/README.md")
if [ -d "$data/ann/fashion-mnist" ]; then arguments+=(--data "$data"); fi
exec "$root/build/release/bin/rvf" demo "${arguments[@]}" "$@"
