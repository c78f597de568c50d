"""The command line of the simulated Go2, as far as it needs no DDS."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from claudiad.errors import EngineMissing
from claudiad.go2sim import cli, control
from claudiad.go2sim.faults import Kind


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Whatever a command line does to signals is undone."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGTTIN)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--posture", "flying"], "invalid choice"),
        (["--battery", "101"], "'101': a number from 0 to 100"),
        (["--battery", "nan"], "'nan': a number from 0 to 100"),
        (["--slip", "0.6"], "a number from 0 to 0.5"),
        (["--domain", "1.5"], "a number from 0 to 232"),
        (["--fault", "explode"], "there is no fault 'explode'"),
        (["--reply-at", "never"], "invalid choice"),
        (["surprise"], "unrecognized arguments"),
    ],
)
def test_a_wrong_command_line_is_64(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what is wrong and what would be right."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 64
    assert says in capsys.readouterr().err


def test_help_is_all_one_needs(capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault, the lines on standard input, the log and the exit statuses."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for word in (*Kind, "clear", "status", "--reply-at", "noreply", "Exit statuses"):
        assert word in text


def test_without_the_sdk_it_ends_with_78(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And says how to get it."""

    def missing(*_: Any) -> None:
        raise EngineMissing("run scripts/robot-sdk")

    monkeypatch.setattr(cli, "Link", missing)
    assert cli.main(["--interface", "lo"]) == 78
    assert capsys.readouterr().err == "claudiad-go2sim: run scripts/robot-sdk\n"


def test_an_interface_there_is_not_ends_it_with_76(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything of DDS is touched; named as this command names it."""

    def untouched(*_: Any) -> None:
        raise AssertionError("DDS")

    monkeypatch.setattr(cli, "Link", untouched)
    assert cli.main(["--interface", "nowhere0"]) == 76
    said = capsys.readouterr().err
    assert "--interface: there is no network interface 'nowhere0'" in said
    assert "robot.interface" not in said


def test_standard_input_is_read_to_its_end() -> None:
    """Lines are obeyed, bytes that are no text are said to be wrong, and the end is told."""
    reader, writer = os.pipe()
    did: list[str] = []
    over = threading.Event()
    os.write(writer, b"status\nexplode\n\xff\xfe\nclear")
    os.close(writer)
    desk: Any = SimpleNamespace(status=lambda: did.append("status"), clear=lambda: did.append("clear"))
    control.listen(desk, did.append, over.set, reader)
    os.close(reader)
    assert over.is_set()
    assert (did[0], "explode" in did[1], "\ufffd" in did[2], did[3]) == ("status", True, True, "clear")


def test_standard_input_that_cannot_be_read_is_at_its_end() -> None:
    """In the background of a terminal reading it is an error."""
    over = threading.Event()
    reader, writer = os.pipe()
    os.close(reader)
    try:
        control.listen(None, pytest.fail, over.set, writer)  # type: ignore[arg-type]
    finally:
        os.close(writer)
    assert over.is_set()
