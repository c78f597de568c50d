"""Where the control socket is, and how it comes to be there with the right owner before anybody can connect.

The folder is the daemon's runtime directory: systemd's $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/claudia, else, for
root, /run/claudia.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOCKET: Final = "control.sock"
SYSTEM: Final = Path("/run/claudia")
GROUP: Final = "claudia"


def own_directory(environ: Mapping[str, str], uid: int) -> Path | None:
    """Where a daemon with this environment and user puts its socket; None: there is no place for it."""
    if given := environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    if of_user := environ.get("XDG_RUNTIME_DIR"):
        return Path(of_user) / "claudia"
    return SYSTEM if uid == 0 else None


def candidates(environ: Mapping[str, str], uid: int) -> list[Path]:
    """Where a daemon may listen, seen by a client: a session's own one before the system's."""
    own = own_directory(environ, uid)
    return [folder / SOCKET for folder in dict.fromkeys([own, SYSTEM]) if folder is not None]


def answers(path: Path) -> bool:
    """Whether somebody listens there. Raises OSError for a file that is no socket, or that is not ours to touch."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True  # its queue is full: it is there
    return True
