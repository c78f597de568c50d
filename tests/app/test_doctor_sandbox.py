"""Hosts that the unit's sandbox shuts out, named by the doctor."""

from __future__ import annotations

import subprocess

import pytest

from claudiad.app.doctor_sandbox import examine, show_unit
from claudiad.config import Settings

UNIT = """LoadState=loaded
IPAddressAllow=127.0.0.0/8 ::1/128 192.168.123.0/24 239.255.0.0/16
IPAddressDeny=0.0.0.0/0 ::/0
"""


def settings(host: str = "", *, cloud: bool = False) -> Settings:
    base = Settings().model_dump()
    base["llm"]["host"] = host
    base["cloud"]["enabled"] = cloud
    return Settings.model_validate(base)


def test_a_server_elsewhere_is_named_with_the_command_that_lets_it_through() -> None:
    """Nothing else tells why an Ollama that answers everybody does not answer the daemon."""
    (found,) = examine(settings("http://192.168.1.5:11434"), {}, lambda: UNIT)
    assert found.verdict == "warning"
    assert "192.168.1.5" in found.detail
    assert found.remedy == "sudo claudiactl allow 192.168.1.5; sudo systemctl daemon-reload"


@pytest.mark.parametrize("host", ["", "http://127.0.0.1:11434", "http://192.168.123.18:11434", "http://[::1]:11434"])
def test_this_computer_and_the_robots_network_are_open(host: str) -> None:
    """What the unit lets through is not worth a word."""
    assert examine(settings(host), {}, lambda: UNIT) == []


def test_the_cloud_is_a_host_too() -> None:
    """Switched on and not allowed."""
    (found,) = examine(settings(cloud=True), {}, lambda: UNIT)
    assert "sudo claudiactl allow cloud" in found.remedy
    allowed = UNIT.replace("239.255.0.0/16", "239.255.0.0/16 160.79.104.0/23 2607:6bc0::/48")
    assert examine(settings(cloud=True), {}, lambda: allowed) == []


def test_an_address_from_the_environment_counts() -> None:
    """$OLLAMA_HOST is honoured here as everywhere."""
    assert examine(settings(), {"OLLAMA_HOST": "192.168.1.9"}, lambda: UNIT)


def test_without_a_unit_there_is_nothing_to_say() -> None:
    """A checkout is in no sandbox."""
    assert examine(settings("http://192.168.1.5:11434"), {}, lambda: None) == []


def test_a_unit_without_limits_shuts_nobody_out() -> None:
    """Somebody has taken the limits away, which is theirs to do."""
    assert examine(settings("http://192.168.1.5:11434"), {}, lambda: "LoadState=loaded\nIPAddressAllow=\n") == []


def test_no_systemd_is_no_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing systemctl nor one that fails is a fault of the doctor's."""

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("systemctl")

    monkeypatch.setattr(subprocess, "run", missing)
    assert show_unit() is None
