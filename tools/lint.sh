#!/bin/bash
# Usage: lint.sh <configured build folder> <jobs> <folder>...
# clang-format over every source, clang-tidy over the library and command sources below the folders
# (not the tests). Prints what is wrong and one closing line.
set -euo pipefail
build=$1
jobs=$2
shift 2
failed=0

mapfile -t sources < <(find src include apps tests bench examples fuzz -name '*.[ch]pp' -o -name '*.h' | sort)
formatted=yes
if ! clang-format-19 --dry-run --Werror "${sources[@]}"; then
  formatted="no, run 'make format'"
  failed=1
fi

# say() of apps/rvf/output.hpp makes visible what stores and file names hold; nothing goes round it.
if grep -nE 'fmt::print\(|[^n]printf\(|std::cout' apps/rvf/*.cpp |
    grep -vE '^apps/rvf/(output|main|progress_bar|cmd_completion)\.cpp:'; then
  echo "print with say()"
  failed=1
fi

pattern="/($(IFS='|'; echo "$*"))/.*(?<!_test)\\.cpp$"
# GCC knows warnings and CPU flags that clang does not.
if ! run-clang-tidy-19 -quiet -p "$build" -j "$jobs" -extra-arg=-Wno-unknown-warning-option \
    -extra-arg=-Wno-ignored-optimization-argument "$pattern" >"$build/clang-tidy.log" 2>/dev/null; then
  failed=1
  tail -n 3 "$build/clang-tidy.log"  # should it have failed for another reason than a finding
fi
findings=$({ grep -E '(error|warning):' "$build/clang-tidy.log" || true; } | sort -u | sed "s|$PWD/||")
count=0
if [ -n "$findings" ]; then
  echo "$findings"
  count=$(wc -l <<<"$findings")
fi
echo "lint: ${#sources[@]} files, formatted: $formatted; clang-tidy findings: $count"
exit $failed
