"""check_layers.py names what climbs, and only that. Run by ctest with the path of the script."""
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(sys.argv[1])
TREE = {
    "src/types/a.hpp": "#include <vector>\n",
    "src/wire/a.hpp": '#include "types/a.hpp"\n#include "rvf/x.hpp"\n',
    "src/io/a.hpp": '#include "types/a.hpp"\n',
    "src/index/CMakeLists.txt": "rvf_library(index DEPS rvf::meta)\n",
    "src/index/a.cpp": '#include "index/b.hpp"\n#include "wire/a.hpp"\n#include "meta/a.hpp"\n',
    "src/meta/a.hpp": "",
    "src/runtime/a.cpp": '#include "index/b.hpp"\n',
    "include/rvf/x.hpp": '#include <span>\n#include "rvf/y.hpp"\n',
}
PLANTED = [
    ("src/wire/b.cpp", '\n#include "runtime/a.hpp"\n', "src/wire/b.cpp:2:"),
    ("src/types/b.cpp", '#include "wire/a.hpp"\n', "src/types/b.cpp:1:"),
    ("src/wire/c.cpp", '#include "io/a.hpp"\n', "does not link rvf::io"),
    ("src/runtime/b.cpp", '#include "../index/b.hpp"\n', "src/runtime/b.cpp:1:"),
    ("src/runtime/c.cpp", '#include "apps/rvf/command.hpp"\n', "src/runtime/c.cpp:1:"),
    ("src/runtime/d.cpp", '#include "nowhere/x.hpp"\n', "no folder"),
    ("include/rvf/z.hpp", '#include "types/a.hpp"\n', "include/rvf/z.hpp:1:"),
    ("include/rvf/z.hpp", "#include <fmt/core.h>\n", "include/rvf/z.hpp:1:"),
    ("include/rvf/z.hpp", "#include <unistd.h>\n", "include/rvf/z.hpp:1:"),
]


def run(root):
    done = subprocess.run([sys.executable, str(SCRIPT), str(root)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    for name, text in TREE.items():
        write(root, name, text)
    status, output = run(root)
    assert status == 0, output
    for name, text, expected in PLANTED:
        path = write(root, name, text)
        status, output = run(root)
        assert status == 1 and expected in output, (name, text, status, output)
        path.unlink()
print(f"{len(PLANTED)} planted includes found")
