"""Give back memory that only the start needed.

Reading a thousand phrases touches most of the tokeniser's dictionary, 150 MB of a file that is mapped read-only. What
is needed of it again comes back from the page cache, page by page; the rest need not stay in the process.
"""

from __future__ import annotations

import ctypes
import logging
from pathlib import Path

log = logging.getLogger(__name__)

MADV_DONTNEED = 4
"""madvise(2): forget these pages; of a file mapping that nobody wrote to, they are read from the file again."""
MAPS = Path("/proc/self/maps")


def release(names: tuple[str, ...]) -> int:
    """Let go of the pages of read-only mappings of files that are called so; bytes of the mappings.

    Nothing happens where the kernel does not know how. Never raises.
    """
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        lines = MAPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    released = 0
    for line in lines:
        addresses, rights, *rest = line.split(maxsplit=5)
        # What was written to a private page exists nowhere else: only what cannot have been written to may go.
        if rights not in ("r--p", "r--s") or not rest or Path(rest[-1]).name not in names:
            continue
        begin, end = (int(each, 16) for each in addresses.split("-"))
        if libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_DONTNEED) == 0:
            released += end - begin
    log.debug("%d MB of file mappings released", released // 1_000_000)
    return released
