#!/bin/sh
# Usage: run_npm.sh <rvf command>
# Installs the published packages into a temporary folder and runs npm_roundtrip.mjs. 77: skipped.
set -eu
rvf=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
for tool in node npm; do
  command -v "$tool" >/dev/null 2>&1 || { echo "skipped: no $tool"; exit 77; }
done
case $(uname -s)-$(uname -m) in
  Linux-x86_64 | Linux-aarch64) ;;
  *) echo "skipped: the packages have no program for this machine"; exit 77 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
if ! npm install --no-audit --no-fund --loglevel=error @ruvector/rvf-node@0.2.3 \
    rvf-node-old@npm:@ruvector/rvf-node@0.1.8 >npm.log 2>&1; then
  tail -n 5 npm.log
  echo "skipped: the packages cannot be installed here"
  exit 77
fi
node "$here/npm_roundtrip.mjs" "$rvf" "$work/node_modules" "$work"
