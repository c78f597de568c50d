"""The journal's native protocol: fields beside the message, and messages of several lines.

systemd.io/JOURNAL_NATIVE_PROTOCOL: one datagram per entry to `SOCKET`; `NAME=value\\n`, or for a value with a line
break `NAME\\n`, its length as a little-endian 64-bit number, the value, `\\n`. What is too large for a datagram goes
as a sealed memfd. Names that are not in capitals would be dropped by journald without a word: they are refused here.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/systemd/journal/socket")
MAX_BYTES: Final = 700_000
"""journald takes 768 KiB of one field, and cuts nothing: it drops."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def encode(fields: Iterable[tuple[str, str]]) -> bytes:
    """One entry. A name may occur several times. Raises ValueError for a name the journal would drop."""
    out = bytearray()
    for name, text in fields:
        if not _NAME.fullmatch(name):
            raise ValueError(f"the journal knows no field {name!r}: capitals, digits and _, at most 64, no _ in front")
        value = text.encode("utf-8", "backslashreplace")[:MAX_BYTES]
        if b"\n" in value:
            out += name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
        else:
            out += name.encode() + b"=" + value + b"\n"
    return bytes(out)


def is_journal(stream_fd: int, environ: Mapping[str, str]) -> bool:
    """Whether that stream leads to the journal: `$JOURNAL_STREAM` names device and inode of one that does.

    The variable alone does not tell: it is inherited by whatever redirects its output elsewhere.
    """
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    if not (device.isdecimal() and inode.isdecimal()):
        return False
    try:
        status = os.fstat(stream_fd)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (int(device), int(inode))


class Journal:
    """The sending end. Never waits: where journald cannot keep up, entries are lost and counted.

    Waiting would be worse: it would be the event loop that waits, and with it the ear that listens for a stop.
    """

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self.lost = 0
        """Entries lost since somebody last set this to 0."""

    def send(self, fields: Iterable[tuple[str, str]]) -> bool:
        """Hand over one entry, or count it as lost; False when nobody listens there. From any thread."""
        entry = encode(fields)
        try:
            try:
                self._socket.sendto(entry, self._path)
            except OSError as fault:
                if fault.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                    raise
                self._send_file(entry)
        except BlockingIOError:
            self.lost += 1
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Nothing is sent afterwards."""
        self._socket.close()

    def _send_file(self, entry: bytes) -> None:
        fd = os.memfd_create("claudiad-journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            view = memoryview(entry)
            while view:
                view = view[os.write(fd, view) :]
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            # Not socket.send_fds: Python 3.11's forgets the address.
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", fd))
            self._socket.sendmsg([], [rights], 0, self._path)
        finally:
            os.close(fd)
