"""Which pages of a file the operating system holds, and how to make it forget them."""

from __future__ import annotations

import ctypes
import mmap
import os
import pathlib


def forget(files: list[pathlib.Path], everything: bool = False) -> None:
    """Writes back and drops the cached pages of these files; with `everything`, of all files (as root)."""
    for file in files:
        fd = os.open(file, os.O_RDONLY)
        try:
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
    if everything:
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def resident(files: list[pathlib.Path]) -> int:
    """Bytes of these files that are in the page cache."""
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    page = mmap.PAGESIZE
    pages = 0
    for file in files:
        size = file.stat().st_size
        if size == 0:
            continue
        with file.open("rb") as f, mmap.mmap(f.fileno(), size, access=mmap.ACCESS_COPY) as view:
            anchor = ctypes.c_char.from_buffer(view)
            try:
                states = ctypes.create_string_buffer((size + page - 1) // page)
                if libc.mincore(ctypes.addressof(anchor), size, states) != 0:
                    raise OSError(ctypes.get_errno(), "mincore")
                pages += sum(s & 1 for s in states.raw)
            finally:
                del anchor
    return pages * page
