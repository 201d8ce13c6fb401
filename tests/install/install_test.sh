#!/bin/sh
# Usage: install_test.sh <build folder> <this folder> <C++ compiler> <CMake generator>
# Installs the build into a new folder, moves it (nothing may remember where it was), and uses it from outside
# the tree: CMake package, pkg-config, Debian package. 77: skipped.
set -eu
build=$1
here=$2
cxx=$3
generator=$4
unset DESTDIR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "== $*"; }

say "install"
cmake --install "$build" --prefix "$work/first" >"$work/log" || { cat "$work/log"; exit 1; }
mv "$work/first" "$work/prefix"
if grep -rlF -e "$work/first" -e "$build" "$work/prefix" --include='*.cmake' --include='*.pc'; then
  echo "an installed file names the folder it was built or installed in"
  exit 1
fi

for part in runtime wire; do
  say "find_package(rvf COMPONENTS $part)"
  cp -r "$here/consumer_$part" "$work/$part"
  cmake -S "$work/$part" -B "$work/$part/build" -G "$generator" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
  cmake --build "$work/$part/build"
  "$work/$part/build/consumer" "$work/$part.rvf"
done

say "pkg-config"
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name rvf.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$cxx" -std=c++20 "$here/consumer_runtime/main.cpp" -o "$work/consumer" $(pkg-config --cflags --libs rvf)
"$work/consumer" "$work/pkg-config.rvf"

if [ -x "$build/bin/rvf" ]; then
  say "the command"
  "$work/prefix/bin/rvf" --version
fi

if ! command -v dpkg-shlibdeps >/dev/null 2>&1 || ! command -v file >/dev/null 2>&1; then
  say "no dpkg-dev here: the Debian package is not tried"
  exit 0
fi
say "Debian package"
(cd "$build" && cpack -G DEB -B "$work/package") >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
deb=$(echo "$work"/package/*.deb)
dpkg-deb -f "$deb" Package Version Depends Suggests Maintainer Description
dpkg-deb -c "$deb" | awk '{print $6}' >"$work/content"
expected="usr/include/rvf/store.hpp usr/lib/librvf_runtime.a usr/lib/cmake/rvf/rvfConfig.cmake
  usr/lib/pkgconfig/rvf.pc usr/share/doc/ruvector/copyright"
if [ -x "$build/bin/rvf" ]; then expected="$expected usr/bin/rvf usr/share/man/man1/rvf.1"; fi
for name in $expected; do
  grep -qx "\./$name" "$work/content" || { echo "the package lacks $name"; cat "$work/content"; exit 1; }
done
if grep -E '_test|fixture|/tests?/' "$work/content"; then
  echo "the package holds tests"
  exit 1
fi

mkdir "$work/root"
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$work/root/var/lib/dpkg/info" "$work/root/var/lib/dpkg/updates"
  : >"$work/root/var/lib/dpkg/status"
  # Into a root of its own, so what it depends on is not there.
  dpkg --root="$work/root" --force-depends --install "$deb" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  dpkg --root="$work/root" --status ruvector | grep -q 'ok installed'
else
  dpkg-deb -x "$deb" "$work/root"
fi
if [ -x "$build/bin/rvf" ]; then "$work/root/usr/bin/rvf" --version; fi
say "all of it works"
