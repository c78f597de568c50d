"""Where what must survive a restart is kept, and the audit log in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from claudiad.config import Settings
from claudiad.service.audit import CURRENT, AuditLog

SYSTEM: Final = Path("/var/lib/claudia")
"""The StateDirectory of the system's service."""


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """systemd's StateDirectory, else the user's."""
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    base = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "claudia"


def audit_directory(settings: Settings) -> Path:
    """Where a daemon with these settings writes its audit log."""
    return Path(settings.audit.directory) if settings.audit.directory else state_directory()


def audit_to_read(settings: Settings, system: Path = SYSTEM) -> Path:
    """Where a person's question finds it: as the settings say, else their own, else that of the system's service."""
    own = audit_directory(settings)
    if settings.audit.directory or (own / CURRENT).exists() or not system.is_dir():
        return own
    return system


def open_audit(settings: Settings) -> AuditLog | None:
    """The audit log the settings name; None: none is written."""
    a = settings.audit
    if not a.enabled:
        return None
    return AuditLog(audit_directory(settings), a.max_bytes, a.keep, settings.privacy.log_speech)
