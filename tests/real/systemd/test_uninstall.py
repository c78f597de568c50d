"""install.sh --uninstall. By name the last that needs the installed daemon."""

from __future__ import annotations

import pytest

from tests.real.systemd.container import Container

pytestmark = pytest.mark.real

OTHERS = (
    "/var/log/",
    "/var/lib/systemd/",
    "/srv",
    "/var/cache/ldconfig",
    "/etc/asound.conf",
    "/root",
    "/home",
)
"""What systemd itself and the tests write."""
ACCOUNTS = {f"/etc/{name}" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")}


def test_nothing_but_data_is_left(installed: Container) -> None:
    """Settings, what it learned, and the user they belong to; after --purge not even those."""
    installed.run("/src/install.sh", "--uninstall")
    left = _left(installed)
    data = {path for path in left if path.startswith(("/etc/claudia", "/var/lib/claudia"))}
    assert "/etc/claudia/claudiad.toml" in data
    assert left - data == set()
    assert installed.status_of("getent", "passwd", "claudia") == 0
    assert installed.status_of("systemctl", "cat", "claudiad") != 0

    installed.run("/src/install.sh", "--uninstall", "--purge")
    assert _left(installed) == set()
    assert installed.status_of("getent", "passwd", "claudia") != 0
    assert installed.status_of("getent", "group", "claudia") != 0


def _left(container: Container) -> set[str]:
    paths = {path for path in container.written() - container.before if not path.startswith(OTHERS)}
    paths = {path for path in paths if "/systemd-private-" not in path}
    # The accounts' files, their locks and copies are there in any case; a folder is new only when the machine had none.
    paths = {path for path in paths if path.rstrip("-") not in ACCOUNTS and not path.endswith(".lock")}
    return {path for path in paths if not container.was_there(path)}
