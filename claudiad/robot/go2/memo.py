"""The interface of the robot that was last commanded, for `claudiad stop-robot`: no configuration can lose it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

NAME = "go2.json"
MODE = 0o644


def folders(environ: Mapping[str, str]) -> list[Path]:
    """Where it may be: systemd's StateDirectory, the user's, and the daemon's when a person asks."""
    found = [Path(each) for each in environ.get("STATE_DIRECTORY", "").split(":") if each]
    with contextlib.suppress(RuntimeError):  # a user without a home
        base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        found.append(Path(base) / "claudia")
    return [*found, Path("/var/lib/claudia")]


def save(folder: Path, interface: str, domain: int) -> None:
    """Keep it, readable for whoever may look into the folder, whatever the umask: they stop the robot with it.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{NAME}.new"
    fresh.write_text(json.dumps({"interface": interface, "domain": domain}), encoding="utf-8")
    fresh.chmod(MODE)
    fresh.replace(folder / NAME)


def load(environ: Mapping[str, str] = os.environ) -> tuple[str, int] | None:
    """Interface and domain of the last robot, whoever's it was; what cannot be read is passed over."""
    found: list[tuple[float, str, int]] = []
    for folder in folders(environ):
        # Whatever is wrong with a file, the next one may be right, and --interface is left.
        with contextlib.suppress(Exception):
            file = folder / NAME
            kept = json.loads(file.read_text(encoding="utf-8"))
            found.append((file.stat().st_mtime, str(kept["interface"]), int(kept["domain"])))
    return max(found)[1:] if found else None
