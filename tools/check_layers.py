#!/usr/bin/env python3
"""Check that includes only point down (see ARCHITECTURE.md).

Usage: check_layers.py [root]. Prints file:line for each include that does not, and exits with 1 then.
  src/<a>   may include its own headers, rvf/*.hpp, folders of lower layers, and of its own layer those that
            its CMakeLists.txt links; never apps/, tests/ or a relative path.
  include/rvf   may include only rvf/* and the standard library.
"""
import pathlib
import re
import sys

LAYERS = [
    {"types"},
    {"exec", "wire", "io", "kernels", "unicode"},
    {"manifest", "layouts", "index", "meta", "quant", "crypto", "embed"},
    {"runtime"},
    # Features, each usable alone. A folder that is not named in this table is one of them.
    {"interop", "text", "text_store", "lake", "guard", "evolve", "graph"},
    {"capi"},
]
FEATURES = 4
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg
cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem
format forward_list fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator
latch limits list locale map memory memory_resource mutex new numbers numeric optional ostream queue random
ranges ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept
stop_token streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex
typeinfo unordered_map unordered_set utility valarray variant vector version
stdint.h stddef.h stdbool.h
""".split())

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
SOURCES = {".cpp", ".hpp", ".h", ".cc", ".inc", ".inl"}


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def sources(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in SOURCES and p.is_file())


def linked(folder):
    lists = folder / "CMakeLists.txt"
    return set(re.findall(r"rvf::(\w+)", lists.read_text(encoding="utf-8"))) if lists.exists() else set()


def wrong_in_src(name, links, folders, quoted, target):
    """Why src/<name> may not include this, or None."""
    first = target.split("/")[0]
    if first in ("apps", "tests", "bench", "fuzz", "examples") or target.startswith("../"):
        return f"src/{name} may not include {target}"
    if not quoted or first in ("rvf", name):
        return None
    if "/" not in target:
        return f'write "{name}/{target}", with the folder'
    if first not in folders:
        return f"there is no folder src/{first}"
    mine, other = RANK.get(name, FEATURES), RANK.get(first, FEATURES)
    if other > mine:
        return f"src/{name} may not include src/{first}, which stands above it"
    if other == mine and first not in links:
        return f"src/{name}/CMakeLists.txt does not link rvf::{first}, which stands beside it"
    return None


def wrong_in_public(quoted, target):
    if target.startswith("rvf/"):
        return None
    if not quoted and target in STANDARD:
        return None
    return f"a public header may include only rvf/* and the standard library, not {target}"


def check(root):
    found = []
    files = 0
    folders = {p.name for p in (root / "src").iterdir() if p.is_dir()}
    for name in sorted(folders):
        links = linked(root / "src" / name)
        for path in sources(root / "src" / name):
            files += 1
            for line, quoted, target in includes(path):
                reason = wrong_in_src(name, links, folders, quoted, target)
                if reason:
                    found.append(f"{path.relative_to(root)}:{line}: {reason}")
    for path in sources(root / "include" / "rvf"):
        files += 1
        for line, quoted, target in includes(path):
            reason = wrong_in_public(quoted, target)
            if reason:
                found.append(f"{path.relative_to(root)}:{line}: {reason}")
    return files, found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    files, found = check(root)
    for line in found:
        print(line)
    print(f"layers: {files} files, {len(found)} includes that climb")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
