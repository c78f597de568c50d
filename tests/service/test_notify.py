"""What systemd is told, as it arrives at the other end of its socket."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claudiad.service.notify import STATUS_CHARACTERS, Notifier


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "notify"))
        end.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        yield end


@pytest.fixture
def made(systemd: socket.socket) -> Iterator[Callable[[], Notifier]]:
    """Makes notifiers from the environment and closes them."""
    notifiers: list[Notifier] = []

    def make() -> Notifier:
        notifiers.append(Notifier.from_environment())
        return notifiers[-1]

    yield make
    for notifier in notifiers:
        notifier.close()
        notifier.ready("nobody is told after the end")


def told(end: socket.socket) -> list[str]:
    return end.recv(8192).decode("utf-8").split("\n")


def test_a_status_in_japanese_arrives_as_it_was_written(systemd: socket.socket, made: Callable[[], Notifier]) -> None:
    """UTF-8, though the library encodes Latin-1; line breaks would begin another variable and become spaces."""
    notifier = made()
    notifier.status("turn 3: 座る、立つ\nREADY=1 …")
    assert told(systemd) == ["STATUS=turn 3: 座る、立つ READY=1 …"]
    notifier.status("あ" * 5000)
    assert told(systemd) == ["STATUS=" + "あ" * STATUS_CHARACTERS]


def test_each_step_of_a_life_has_its_message(systemd: socket.socket, made: Callable[[], Notifier]) -> None:
    """Loading extends the start's time, a reload carries the clock, and both end with READY."""
    notifier = made()
    notifier.loading("models", 12.5)
    assert told(systemd) == ["STATUS=models", "EXTEND_TIMEOUT_USEC=12500000"]
    notifier.ready("listening")
    assert told(systemd) == ["READY=1", "STATUS=listening"]
    notifier.reloading()
    first, clock, status = told(systemd)
    assert (first, status) == ("RELOADING=1", "STATUS=reloading")
    name, _, usec = clock.partition("=")
    assert name == "MONOTONIC_USEC"
    assert int(usec) > 0
    notifier.stopping()
    assert told(systemd) == ["STOPPING=1", "STATUS=stopping"]


def test_without_a_watchdog_it_is_neither_fed_nor_triggered(
    systemd: socket.socket, made: Callable[[], Notifier]
) -> None:
    """A unit without WatchdogSec= gets none of its messages."""
    notifier = made()
    notifier.alive()
    notifier.trigger("hangs")
    assert notifier.watchdog_s is None
    with pytest.raises(BlockingIOError):
        systemd.recv(1)


@pytest.mark.parametrize("pid", [None, str(os.getpid())])
def test_a_watchdog_that_is_ours_is_fed(
    systemd: socket.socket, made: Callable[[], Notifier], monkeypatch: pytest.MonkeyPatch, pid: str | None
) -> None:
    """Its period in seconds, and both of its messages; the reason to trigger is seen in the status."""
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid)
    notifier = made()
    assert notifier.watchdog_s == 30.0
    notifier.alive()
    assert told(systemd) == ["WATCHDOG=1"]
    notifier.trigger("recognition hangs")
    assert told(systemd) == ["STATUS=recognition hangs", "WATCHDOG=trigger"]


@pytest.mark.parametrize(("usec", "pid"), [("0", ""), ("x", ""), ("", ""), ("-5", ""), ("1000000", "1")])
def test_a_watchdog_that_is_none_or_anothers_is_left_alone(
    systemd: socket.socket, made: Callable[[], Notifier], monkeypatch: pytest.MonkeyPatch, usec: str, pid: str
) -> None:
    """Zero, nonsense, or a period meant for another process."""
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    assert made().watchdog_s is None


def test_children_inherit_nothing(
    systemd: socket.socket, made: Callable[[], Notifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No child can declare the daemon ready: the variables are gone when it has read them."""
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    made()
    assert {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}.isdisjoint(os.environ)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sdnotify forgets its socket
def test_a_socket_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One error with the address; then every call does nothing."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    notifier = Notifier.from_environment()
    assert str(tmp_path / "none") in caplog.text
    notifier.ready("x")
    notifier.alive()


def test_errors_are_told_once_and_not_swallowed(caplog: pytest.LogCaptureFixture) -> None:
    """A socket that fails is one line for the outage, and another one for the next outage."""
    works = False

    def send(_: str) -> None:
        if not works:
            raise OSError(11, "no room")

    notifier = Notifier(send)
    with caplog.at_level(logging.ERROR):
        notifier.ready("a")
        notifier.status("b")
        assert [r.getMessage() for r in caplog.records] == ["systemd was not told READY=1: [Errno 11] no room"]
        works = True
        notifier.status("c")
        works = False
        notifier.status("d")
    assert len(caplog.records) == 2


def test_without_systemd_every_call_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a terminal."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier.from_environment()
    for call in (notifier.reloading, notifier.stopping, notifier.alive):
        call()
    notifier.trigger("x")
    assert notifier.watchdog_s is None
