"""The daemon's end of the control socket: bound, owned and closed so that nobody else's is disturbed."""

from __future__ import annotations

import errno
import fcntl
import grp
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from claudiad.control.address import GROUP, answers
from claudiad.errors import Busy, ConfigError

log = logging.getLogger(__name__)

MODE = 0o660
FOLDER_MODE = 0o755
LOCK = "control.lock"
LOCK_MODE = 0o600
"""Nobody else can open it: whoever could, could hold it, and with it every daemon that wants to start."""
PATIENCE_S = 3.0
"""Longer than another daemon takes to look and bind."""
_AGAIN_S = 0.05


class Door:
    """A bound socket that nobody can connect to before `listen` was called on `socket`."""

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        """Bind it there, with its mode and group. Blocking: for a moment, or `patience_s` while another one binds.

        Raises Busy when a daemon listens there already, or is about to, ConfigError when there can be no socket there.
        """
        self.path = path
        try:
            path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            with _alone(path, patience_s):
                self.socket = _bound(path)
                self._identity = _identity(path)
        except OSError as fault:
            why = fault.strerror or str(fault)
            raise ConfigError([f"no control socket at {path}: {why}; is that folder the daemon's own?"]) from fault

    def close(self) -> None:
        """Close it and remove it, unless it is no longer ours."""
        self.socket.close()
        with suppress(OSError):
            if _identity(self.path) == self._identity:
                self.path.unlink()


@contextmanager
def _alone(path: Path, patience_s: float) -> Iterator[None]:
    """Held while looking and binding: two daemons that start at once must not take each other's socket away.

    The file stays: whoever removed it would let a third one in beside the second. Raises Busy, OSError.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = os.open(path.with_name(LOCK), flags, LOCK_MODE)
    try:
        end = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as fault:
                if time.monotonic() >= end:
                    raise Busy(f"another claudiad is starting on {path}, and does not get on: stop it first") from fault
                time.sleep(_AGAIN_S)
        yield
    finally:
        os.close(lock)


def _bound(path: Path) -> socket.socket:
    if path.exists():
        if not path.is_socket():
            raise FileExistsError(errno.EEXIST, "something else is there")
        if answers(path):
            raise Busy(f"another claudiad listens on {path}: stop it first (claudiactl status tells which)")
        path.unlink()  # left by one that was killed
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.setblocking(False)
        # On Linux the file inherits the socket's mode: never more than this, whatever the umask.
        os.fchmod(bound.fileno(), MODE)
        bound.bind(str(path))
        _give_to_group(path)
        path.chmod(MODE)  # a narrow umask has taken the group's part away
    except BaseException:
        bound.close()
        raise
    return bound


def _give_to_group(path: Path) -> None:
    try:
        group = grp.getgrnam(GROUP).gr_gid
    except KeyError:
        return  # a development machine: the socket stays its owner's
    if path.stat().st_gid == group:
        return  # the unit's own group; its sandbox has no chown
    try:
        os.chown(path, -1, group)
    except PermissionError:
        log.info("not a member of the group %s: only this user and root can use %s", GROUP, path)


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino
