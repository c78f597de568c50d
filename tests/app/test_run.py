"""The daemon's life in this process: what it tells systemd, and how it ends. As a process: tests/real."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from claudiad.app import cmd_run
from claudiad.app.cmd_run import configure_logging, ready_line, serve, status_line
from claudiad.app.ears import Ears
from claudiad.app.ledger import Step, TurnRecord
from claudiad.config import Settings
from claudiad.errors import EngineMissing
from claudiad.types import Action
from tests.app.room import room, settings_with
from tests.fakes.recogniser import FakeRecogniser

QUIET = settings_with(audio={"microphone": "none", "speaker": "none"}, tts={"engine": "none"})

LOAD = Ears.__dict__["open"]
"""Before any test has replaced it."""


class Systemd:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        self.told: list[str] = []

    async def until(self, line: str) -> None:
        while line not in self.told:
            got = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 4096), 30)
            self.told += got.decode().splitlines()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Systemd]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(Ears, "open", classmethod(lambda _cls, _settings: Ears(FakeRecogniser())))
    other_end = Systemd(tmp_path / "notify", monkeypatch)
    yield other_end
    other_end.close()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(systemd: Systemd, number: signal.Signals) -> None:
    """Ready, then a signal: it says that it stops, returns 0 and leaves no task and no thread of its own."""
    before = set(threading.enumerate())
    serving = asyncio.create_task(serve(QUIET))
    await systemd.until("READY=1")
    os.kill(os.getpid(), number)
    assert await serving == 0
    await systemd.until("STOPPING=1")
    assert systemd.told == ["STATUS=loading", "READY=1", "STATUS=listening", "STOPPING=1"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert {t for t in set(threading.enumerate()) - before if not t.name.startswith("asyncio_")} == set()


async def test_a_signal_during_the_start_ends_it_as_well(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a model is being loaded: 0, and never ready."""
    loading, go_on = threading.Event(), threading.Event()

    def slow(_cls: object, _settings: object) -> Ears:
        loading.set()
        assert go_on.wait(10)
        return Ears(FakeRecogniser())

    monkeypatch.setattr(Ears, "open", classmethod(slow))
    serving = asyncio.create_task(serve(QUIET))
    assert await asyncio.to_thread(loading.wait, 10)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await serving == 0
    go_on.set()
    await systemd.until("STOPPING=1")
    assert "READY=1" not in systemd.told


async def test_what_is_missing_at_the_start_is_raised(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is not here is the caller's to print; what was started before it is stopped."""
    monkeypatch.setattr(Ears, "open", LOAD)
    with pytest.raises(EngineMissing, match="no folder /no/such"):
        await serve(QUIET.model_copy(update={"stt": Settings().stt.model_copy(update={"model": "/no/such"})}))
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_ready_line_says_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, robot, devices and whether a name is needed, in one line."""
    async with room(monkeypatch, settings_with(wake={"mode": "on"})) as r:
        line = ready_line(r.parts, r.microphone, 1.234)
    assert (
        "ready in 1.2 s: hearing fake, robot sim, microphone default, speaker default (output latency 0 ms), "
        "wake phrase on"
    ) in line


def test_the_status_has_no_word_of_what_was_said() -> None:
    """`systemctl status` is for everybody: what was done and how fast, nothing that was said."""
    nothing = TurnRecord(turn=3, started="", transcript="ひみつ", reading="ヒミツ", reply="ないしょ")
    done = replace(
        nothing,
        route="hotpath",
        steps=(Step(Action("Sit", 1009), "座る"),),
        timings_ms={"speech_end_to_dispatch": 381.4},
    )
    assert status_line(done) == "STATUS=listening; turn 3: 座る, 381 ms"
    assert status_line(replace(nothing, route="fallback")) == "STATUS=listening; turn 3: fallback"
    assert status_line(replace(nothing, dropped="silence")) == "STATUS=listening; turn 3: silence"


@pytest.mark.parametrize("journal", [True, False])
def test_the_journal_gets_levels_and_a_terminal_times(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], journal: bool
) -> None:
    """Under systemd each line begins with its priority; elsewhere with time and level; below the level nothing."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    else:
        monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    try:
        configure_logging(settings_with(log={"level": "warning"}))
        logging.getLogger("x").info("hidden")
        logging.getLogger("x").warning("shown")
        logging.getLogger("x").error("worse")
    finally:
        root.setLevel(level)
    lines = capsys.readouterr().err.splitlines()
    if journal:
        assert lines == ["<4>shown", "<3>worse"]
    else:
        assert [line.split(maxsplit=1)[1] for line in lines] == ["WARNING shown", "ERROR   worse"]


def test_run_resolves_model_names_before_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command hands `serve` settings with folders, and returns its status."""
    import argparse

    seen: list[Settings] = []

    async def fake_serve(settings: Settings) -> int:
        seen.append(settings)
        return 7

    monkeypatch.setattr(cmd_run, "serve", fake_serve)
    monkeypatch.setattr(cmd_run, "configure_logging", lambda _: None)
    monkeypatch.setattr(cmd_run.options, "settings_of", lambda _: QUIET)
    assert cmd_run.run(argparse.Namespace()) == 7
    assert seen == [QUIET]
