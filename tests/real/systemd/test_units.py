"""The units and scripts as files: systemd's opinion of them, the sandbox's score, and what an installation would do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.systemd.conftest import ROOT

pytestmark = pytest.mark.real

SYSTEMD = ROOT / "systemd"
RELAXED = {
    "SupplementaryGroups", "PrivateDevices", "DeviceAllow", "MemoryDenyWriteExecute", "ProcSubset",
    "PrivateNetwork", "RestrictRealtime", "RestrictAddressFamilies", "IPAddressAllow", "DevicePolicy",
}  # fmt: skip


def test_systemd_accepts_the_units_and_their_sandbox() -> None:
    """`scripts/check-units`: verify is clean, and no service scores worse than 1.5."""
    done = subprocess.run([ROOT / "scripts/check-units"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("OK") >= 3


def test_a_worse_sandbox_is_noticed(tmp_path: Path) -> None:
    """The same check refuses a unit whose sandbox was opened."""
    shutil.copytree(SYSTEMD, tmp_path / "systemd")
    unit = tmp_path / "systemd/claudiad.service"
    unit.write_text(unit.read_text().replace("CapabilityBoundingSet=\n", "").replace("NoNewPrivileges=yes\n", ""))
    done = subprocess.run(
        [ROOT / "scripts/check-units", tmp_path / "systemd"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "claudiad.service" in done.stderr


def test_every_relaxation_says_what_breaks_without_it() -> None:
    """In claudiad.service a key that opens the sandbox has a comment above it or above the keys just before it."""
    lines = (SYSTEMD / "claudiad.service").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.split("=")[0] in RELAXED:
            above = next(each for each in reversed(lines[:number]) if "=" not in each or each.startswith("#"))
            assert above.startswith("#"), f"claudiad.service:{number + 1}: {line}"


def test_every_manual_page_that_a_unit_names_is_there() -> None:
    """`man:page(section)` in Documentation= is man/page.section; `systemctl help` would find nothing else."""
    units = [*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.target"), *SYSTEMD.glob("user/*.service")]
    named = {unit.name: re.findall(r"man:([\w.-]+)\((\d)\)", unit.read_text(encoding="utf-8")) for unit in units}
    assert all(named.values())
    assert [page for pages in named.values() for page in pages if not (ROOT / f"man/{'.'.join(page)}").exists()] == []


@pytest.mark.parametrize("script", ["install.sh", "scripts/wheels", "scripts/check-units", "systemd/announce-failure"])
def test_the_scripts_are_clean(script: str) -> None:
    """shellcheck has nothing to say."""
    done = subprocess.run(["shellcheck", ROOT / script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--wheels"], "--wheels needs a value"),
        (["--wheels", "/nowhere"], r"no claudiad-\*.whl in it"),
        (["--robot", "eth0;reboot"], "not the name of a network interface"),
        (["--purge"], "--purge belongs to --uninstall"),
        (["--user", "--headless"], "--headless is for the system's service"),
        (["--frobnicate"], "--frobnicate: unknown"),
        (["XDG_DATA_HOME=/a b", "--user"], "XDG_DATA_HOME=/a b: not a folder that a unit can name"),
        (["XDG_DATA_HOME=/100%", "--user"], "XDG_DATA_HOME=/100%: not a folder that a unit can name"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_done(tmp_path: Path, words: list[str], why: str) -> None:
    """One line that says what is wrong, exit status 64 (69 for what is not there), nothing written."""
    done = _install(tmp_path, *words)
    assert done.returncode in (64, 69)
    assert len(done.stderr.splitlines()) == 1
    assert re.search(why, done.stderr)
    assert not any(tmp_path.iterdir())


def test_a_dry_run_names_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    """Also with an interface and a session's service."""
    for words in (["--robot", "lo"], ["--user"], ["--uninstall", "--purge"]):
        done = _install(tmp_path, "--dry-run", *words)
        assert done.returncode == 0, done.stderr
        assert "would: " in done.stdout
    assert not any(tmp_path.iterdir())


def _install(destdir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`NAME=VALUE` before the options goes into its environment."""
    given = dict(word.split("=", 1) for word in words if not word.startswith("-") and "=" in word)
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(destdir), "DESTDIR": str(destdir)}
    return subprocess.run(
        [ROOT / "install.sh", *(word for word in words if word.partition("=")[0] not in given)],
        env=environment | given,
        capture_output=True,
        text=True,
        check=False,
    )
