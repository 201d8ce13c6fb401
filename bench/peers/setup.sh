#!/bin/sh
# Usage: setup.sh FOLDER [PACKAGE...]
# Makes FOLDER/venv with the packages of requirements.txt (all, or those named) and FOLDER/node with the
# npm ones, and writes FOLDER/install.tsv: a line a package, "ok" or the last line of what went wrong.
# What is installed already is left as it is. hnswlib comes without vector instructions in its wheels, so
# it is compiled here for this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?usage: setup.sh FOLDER [PACKAGE...]}
shift
mkdir -p "$folder"
venv=$folder/venv
log=$folder/install.log
if [ ! -x "$venv/bin/python" ] && ! "${PYTHON:-python3}" -m venv "$venv" >"$log" 2>&1; then
  # Debian ships venv, and the headers that hnswlib wants, in packages of their own.
  rm -rf "$venv"
  if [ "${RVF_NO_SETUP:-}" != "" ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "peers: python3 -m venv does not work here; on Debian install python3-venv and python3-dev" >&2
    exit 1
  fi
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    install python3-venv python3-dev; } </dev/null >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  python3 -m venv "$venv"
fi
# hnswlib wants these to be compiled.
"$venv/bin/python" -m pip install -q --disable-pip-version-check "setuptools<81" wheel pybind11 numpy==2.3.5

note() { printf '%s\t%s\n' "$1" "$2" >>"$folder/install.tsv.new"; }
: >"$folder/install.tsv.new"
has() { "$venv/bin/python" -m pip freeze --all 2>/dev/null | grep -qix "$1"; }

grep -v '^#' "$here/requirements.txt" | while read -r requirement; do
  [ -n "$requirement" ] || continue
  name=${requirement%%==*}
  case " numpy matplotlib $* " in
    *" $name "*) ;;
    *) [ $# -eq 0 ] || continue ;;
  esac
  if has "$requirement"; then note "$requirement" ok; continue; fi
  extra=
  [ "$name" != hnswlib ] || extra="--no-cache-dir --no-build-isolation --no-binary=hnswlib"
  echo "peers: installing $requirement"
  # shellcheck disable=SC2086
  if CXXFLAGS="-O3 -march=native" CFLAGS="-O3 -march=native" \
      "$venv/bin/python" -m pip install -q --disable-pip-version-check $extra "$requirement" >"$log" 2>&1; then
    note "$requirement" ok
  else
    note "$requirement" "$(grep -v '^$' "$log" | tail -n 1)"
  fi
done

case " $* " in
  "  "|*" rvf-node "*)
    mkdir -p "$folder/node"
    cp "$here/node/package.json" "$here/node/worker.mjs" "$folder/node/"
    if ! command -v npm >/dev/null 2>&1; then
      note @ruvector/rvf-node "npm is not installed"
    elif (cd "$folder/node" && npm install --silent --no-fund --no-audit) >"$log" 2>&1; then
      note @ruvector/rvf-node ok
    else
      note @ruvector/rvf-node "$(grep -v '^$' "$log" | tail -n 1)"
    fi ;;
esac
mv "$folder/install.tsv.new" "$folder/install.tsv"
grep -v "$(printf '\tok$')" "$folder/install.tsv" || true
