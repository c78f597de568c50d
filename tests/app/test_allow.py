"""`claudiactl allow`: which addresses the unit may reach, and how the file that says so comes and goes."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from claudiad.app import allow, claudiactl
from claudiad.app.allow import CLOUD_NETWORKS, addresses_of, drop_in, name_servers
from claudiad.errors import DataError


def allowed(content: str) -> list[str]:
    return [line.removeprefix("IPAddressAllow=") for line in content.splitlines() if line.startswith("IPAddressAllow=")]


@pytest.mark.parametrize(
    ("host", "networks", "file"),
    [
        ("192.168.1.5", ["192.168.1.5/32"], "60-allow-192.168.1.5.conf"),
        ("192.168.1.5:11434", ["192.168.1.5/32"], "60-allow-192.168.1.5.conf"),
        ("http://192.168.1.5:11434/", ["192.168.1.5/32"], "60-allow-192.168.1.5.conf"),
        ("192.168.1.77/24", ["192.168.1.0/24"], "60-allow-192.168.1.77-24.conf"),
        ("fd00::7", ["fd00::7/128"], "60-allow-fd00-7.conf"),
        ("http://[fd00::7]:11434", ["fd00::7/128"], "60-allow-fd00-7.conf"),
        ("cloud", list(CLOUD_NETWORKS), "60-allow-cloud.conf"),
        ("https://models.local", ["10.0.0.2", "fd00::2"], "60-allow-models.local.conf"),
    ],
)
def test_a_host_becomes_addresses(tmp_path: Path, host: str, networks: list[str], file: str) -> None:
    """Addresses, networks, URLs as in `llm.host`, names and the cloud; in a drop-in of the unit, one per host."""
    path, content = drop_in(host, tmp_path, lookup=lambda name: {"models.local": ["10.0.0.2", "fd00::2"]}[name])
    assert path == tmp_path / "etc/systemd/system/claudiad.service.d" / file
    assert allowed(content) == networks
    assert "[Service]" in content.splitlines()


@pytest.mark.parametrize(
    "host", ["", " ", "a b", "http://", "[Service]", "x\ny", "x\nExecStart=/bin/sh", "http://[::1", "../../x"]
)
def test_what_is_no_host_is_refused(tmp_path: Path, host: str) -> None:
    """Nothing that could write another line or another file gets through."""
    with pytest.raises(DataError, match="is no host name"):
        drop_in(host, tmp_path, lookup=lambda _: pytest.fail("nobody is to be asked"))


def test_a_name_needs_its_name_servers(tmp_path: Path) -> None:
    """Those that are elsewhere are allowed with it; an address needs none."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text(
        "# x\nnameserver 127.0.0.53\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\n"
    )
    assert name_servers(tmp_path / "etc/resolv.conf") == ["10.0.0.1", "fe80::1"]
    _, content = drop_in("models.local", tmp_path, lookup=lambda _: ["10.0.0.2"])
    assert allowed(content) == ["10.0.0.2", "10.0.0.1", "fe80::1"]
    assert allowed(drop_in("10.0.0.2", tmp_path)[1]) == ["10.0.0.2/32"]


def test_a_name_nobody_knows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do instead."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(allow.socket, "getaddrinfo", unknown)
    with pytest.raises(DataError, match="give an address or a network instead"):
        addresses_of("nowhere.invalid")


def test_it_writes_and_removes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints what it wrote and what is to be typed next; twice is no fault; what was not allowed cannot be removed."""
    words = ["allow", "--root", str(tmp_path), "192.168.1.5"]
    path = tmp_path / "etc/systemd/system/claudiad.service.d/60-allow-192.168.1.5.conf"
    for _ in range(2):
        assert claudiactl.main(words) == 0
        out = capsys.readouterr().out
        assert out.startswith(f"wrote {path}\n")
        assert "IPAddressAllow=192.168.1.5/32" in out
        assert "without a restart: sudo systemctl daemon-reload" in out
    assert claudiactl.main([*words, "--remove"]) == 0
    assert not path.exists()
    assert claudiactl.main([*words, "--remove"]) == 1
    assert capsys.readouterr().err == f"claudiactl allow: 192.168.1.5 was not allowed: there is no {path}\n"


def test_without_root_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """77, one line."""

    def denied(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", denied)
    assert claudiactl.main(["allow", "--root", str(tmp_path), "10.0.0.1"]) == 77
    assert "permission denied: run it with sudo" in capsys.readouterr().err


def test_systemd_understands_it(tmp_path: Path) -> None:
    """The unit with the drop-in passes `systemd-analyze verify` without a word about it."""
    unit = tmp_path / "etc/systemd/system/claudiad.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/true\nIPAddressDeny=any\n")
    for host in ("192.168.1.0/24", "cloud"):
        path, content = drop_in(host, tmp_path)
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert "60-allow" not in done.stderr
    assert "IPAddress" not in done.stderr
    assert done.returncode == 0
