"""The daemon's life in this process: what it tells systemd, how it reloads and ends. As a process: tests/real."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from claudiad.app import cmd_run, daemon
from claudiad.app import parts as parts_module
from claudiad.app.cmd_run import configure_logging, end_after, serve
from claudiad.app.daemon import ready_line
from claudiad.app.daemon_status import status_line, turn_text
from claudiad.app.ears import Ears
from claudiad.app.ledger import Step, TurnRecord
from claudiad.audio.microphone import CaptureStats
from claudiad.brain.router import Tables, load_tables
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.errors import ConfigError, DataError, EngineMissing
from claudiad.robot import registry
from claudiad.robot.sim import SimRobot
from claudiad.service import watched
from claudiad.service.events import RELOAD_REFUSED, RELOADED, STALLED
from claudiad.service.health import Reading
from claudiad.service.notify import Notifier
from claudiad.types import Action
from tests.app.room import Room, room, settings_with
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
        """Until it is told something that begins so; what came before is left out of account."""
        while not any(one.startswith(line) for one in self.told):
            got = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 4096), 30)
            self.told += got.decode().splitlines()

    def close(self) -> None:
        self._socket.close()


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Reading them takes seconds, and no test here is about words."""
    return load_tables(registry.askable(registry.load()))


def current() -> Settings:
    return QUIET


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """As it was: a daemon makes it its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Systemd]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(Ears, "open", classmethod(lambda _cls, _settings: Ears(FakeRecogniser())))
    monkeypatch.setattr(cmd_run, "configure_logging", lambda _: logs_nothing)
    monkeypatch.setattr(parts_module, "brain_tables", lambda *_: tables())
    other_end = Systemd(tmp_path / "notify", monkeypatch)
    yield other_end
    other_end.close()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().remove_signal_handler(number)


class LogsNothing:
    """In place of the process's log, so that pytest's own sees the lines."""

    def tell_repeats(self) -> None:
        """There are none."""


logs_nothing = LogsNothing()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(systemd: Systemd, number: signal.Signals) -> None:
    """Ready, then a signal: it says that it stops, returns 0 and leaves no task and no thread of its own."""
    before = set(threading.enumerate())
    serving = asyncio.create_task(serve(QUIET, current))
    await systemd.until("READY=1")
    os.kill(os.getpid(), number)
    assert await serving == 0
    await systemd.until("STOPPING=1")
    ready = systemd.told.index("READY=1")
    steps = [line.partition("=")[0] for line in systemd.told[:ready]]
    assert steps == ["STATUS", "EXTEND_TIMEOUT_USEC"] * (len(steps) // 2)
    assert systemd.told[0] == "STATUS=loading the speech model embedded"
    assert any("robot (sim)" in line for line in systemd.told[:ready])
    assert systemd.told[ready + 1].startswith("STATUS=listening")
    assert systemd.told[-2:] == ["STOPPING=1", "STATUS=stopping"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert {t for t in set(threading.enumerate()) - before if not t.name.startswith("asyncio_")} == set()
    assert "NOTIFY_SOCKET" not in os.environ


async def test_a_signal_during_the_start_ends_it_as_well(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a model is being loaded: 0, and never ready."""
    loading, go_on = threading.Event(), threading.Event()

    def slow(_cls: object, _settings: object) -> Ears:
        loading.set()
        assert go_on.wait(10)
        return Ears(FakeRecogniser())

    monkeypatch.setattr(Ears, "open", classmethod(slow))
    serving = asyncio.create_task(serve(QUIET, current))
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
        await serve(QUIET.model_copy(update={"stt": Settings().stt.model_copy(update={"model": "/no/such"})}), current)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def reloaded(systemd: Systemd, load: Callable[[], Settings]) -> None:
    """A daemon that is ready, reloads and is ready again, then ends."""
    serving = asyncio.create_task(serve(QUIET, load))
    await systemd.until("READY=1")
    systemd.told.clear()
    os.kill(os.getpid(), signal.SIGHUP)
    await systemd.until("RELOADING=1")
    assert systemd.told[0] == "RELOADING=1"
    assert systemd.told[1].startswith("MONOTONIC_USEC=")
    await systemd.until("READY=1")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await serving == 0


async def test_a_reload_is_applied_and_ready_follows(systemd: Systemd, caplog: pytest.LogCaptureFixture) -> None:
    """What changed at once is named, and what needs a restart."""
    new = settings_with(
        audio={"microphone": "none", "speaker": "none"}, tts={"engine": "none", "rate": 1.5}, turn={"resume_ms": 900}
    )
    with caplog.at_level(logging.INFO):
        await reloaded(systemd, lambda: new)
    (line,) = [r for r in caplog.records if r.getMessage().startswith("settings reloaded")]
    assert line.getMessage() == "settings reloaded: changed turn.resume_ms; tts.rate will change with a restart"
    assert line.journal == RELOADED.fields(CLAUDIA_CHANGED=("turn.resume_ms",), CLAUDIA_NEED_RESTART=("tts.rate",))


async def test_who_asks_for_a_reload_hears_what_came_of_it(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done, or the reason why it was refused, as `claudiactl reload` shows it."""
    answers: list[Callable[[], Settings]] = [current]

    def refuse() -> Settings:
        raise ConfigError(["f.toml:3: no"])

    def load() -> Settings:
        return answers[0]()

    living = daemon.Daemon(QUIET, load, Notifier())
    running = asyncio.create_task(living.run())
    await living.reloaded()
    answers[0] = refuse
    with pytest.raises(ConfigError, match=r"f\.toml:3: no"):
        await living.reloaded()
    answers[0] = lambda: Settings.model_validate({"brain": {"phrases": "/no/such/file"}})
    with pytest.raises(DataError, match="/no/such/file"):
        await living.reloaded()
    living.stop()
    await running


async def test_a_bad_configuration_is_refused_and_ready_follows(
    systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    """One line per fault, the old settings stay, and `systemctl reload` does not hang."""

    def bad() -> Settings:
        raise ConfigError(["f.toml:3: tts.rate: 9 is out of range; allowed: 0.5 to 2", "f.toml:4: x: unknown key"])

    with caplog.at_level(logging.INFO):
        await reloaded(systemd, bad)
    refused = [r for r in caplog.records if getattr(r, "journal", {}).get("MESSAGE_ID") == RELOAD_REFUSED.id]
    assert [r.getMessage() for r in refused] == [
        "reload refused: f.toml:3: tts.rate: 9 is out of range; allowed: 0.5 to 2",
        "reload refused: f.toml:4: x: unknown key",
    ]
    assert not any("settings reloaded" in r.getMessage() for r in caplog.records)


class Busy(daemon.Conversation):
    """Somebody speaks without end."""

    @property
    def idle(self) -> bool:
        return False


async def test_a_reload_waits_for_the_end_of_a_turn_but_not_for_ever(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who is being spoken to is not interrupted; after a while the reload is refused, and READY follows."""
    monkeypatch.setattr(daemon, "Conversation", Busy)
    monkeypatch.setattr(daemon, "BETWEEN_TURNS_S", 0.0)
    await reloaded(systemd, current)
    assert "reload refused: it has been spoken to" in caplog.text


async def test_the_disk_that_is_watched_is_the_audit_logs(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where records are lost when it is full: the folder that `claudiad doctor` measures, not the state directory."""
    folders: list[Path] = []
    looked, loop, read = asyncio.Event(), asyncio.get_running_loop(), daemon.read_health

    def noted(folder: Path) -> Reading:
        folders.append(folder)
        loop.call_soon_threadsafe(looked.set)
        return read(folder)

    monkeypatch.setattr(daemon, "read_health", noted)
    elsewhere = QUIET.model_copy(
        update={"audit": QUIET.audit.model_copy(update={"directory": str(tmp_path / "records")})}
    )
    serving = asyncio.create_task(serve(elsewhere, current))
    await systemd.until("READY=1")
    await asyncio.wait_for(looked.wait(), 30)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await serving == 0
    assert folders[0] == tmp_path / "records"


async def test_the_first_thing_a_signal_does_is_stop_robot_and_voice(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the parts begin to end, however long the first of them takes for that."""
    order: list[str] = []

    def hush(self: daemon.Daemon) -> None:
        order.append("hush")

    class Slow(daemon.Conversation):
        async def run(self) -> None:
            try:
                await super().run()
            finally:
                order.append("the conversation ends")

    monkeypatch.setattr(daemon.Daemon, "_hush", hush)
    monkeypatch.setattr(daemon, "Conversation", Slow)
    serving = asyncio.create_task(serve(QUIET, current, on_stopping=lambda: order.append("the clock runs")))
    await systemd.until("READY=1")
    os.kill(os.getpid(), signal.SIGTERM)
    await serving
    assert order == ["the clock runs", "hush", "the conversation ends"]


async def test_a_stuck_recogniser_stops_the_robot_and_asks_for_a_restart(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal names the stage and where it hangs; until then the watchdog was fed."""
    monkeypatch.setenv("WATCHDOG_USEC", "800000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.setattr(watched, "CALL_S", 0.3)
    recogniser = FakeRecogniser()
    monkeypatch.setattr(Ears, "open", classmethod(lambda _cls, _settings: Ears(recogniser)))
    robots: list[SimRobot] = []

    def robot(settings: Settings, clock: Clock) -> SimRobot:
        robots.append(SimRobot(clock))
        return robots[0]

    monkeypatch.setattr(parts_module, "open_robot", robot)
    ears: list[Ears] = []
    watch = daemon.Daemon._watch
    monkeypatch.setattr(daemon.Daemon, "_watch", lambda self, one: (ears.append(one), watch(self, one)))
    serving = asyncio.create_task(serve(QUIET, current))
    await systemd.until("READY=1")
    await systemd.until("WATCHDOG=1")
    assert all(call.api_id != 1003 for call in robots[0].calls)
    recogniser.gate.clear()
    hearing = asyncio.create_task(ears[0].hear(recogniser.says("座って")))
    await systemd.until("WATCHDOG=trigger")
    recogniser.gate.set()
    await hearing
    os.kill(os.getpid(), signal.SIGTERM)
    assert await serving == 0
    assert any(call.api_id == 1003 for call in robots[0].calls)
    (stalled,) = [r for r in caplog.records if getattr(r, "journal", {}).get("MESSAGE_ID") == STALLED.id]
    assert stalled.journal["CLAUDIA_STAGE"] == "recognition"
    assert "in recognise" in caplog.text


def test_what_hangs_while_stopping_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    """After its time: the stacks in the log, exit status 0, because the robot stands and nothing is lost."""
    ended: list[int] = []
    done = threading.Event()

    def end(status: int) -> None:
        ended.append(status)
        done.set()

    with caplog.at_level(logging.ERROR):
        timer = end_after(0.0, end)
        assert timer.daemon, "it must not keep alive what it is to end"
        assert done.wait(10)
        timer.join()
    assert ended == [0]
    assert "not everything stopped" in caplog.text
    assert "thread MainThread" in caplog.text


async def test_the_ready_line_says_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Model, robot, devices and whether a name is needed, in one line."""
    async with room(monkeypatch, settings_with(wake={"mode": "on"})) as r:
        line = ready_line(r.parts, 1.234)
    assert (
        "ready in 1.2 s: hearing fake, robot sim, microphone default, speaker default (output latency 0 ms), "
        "wake phrase on"
    ) in line


def status(r: Room, microphone: CaptureStats | None = None, last: TurnRecord | None = None) -> str:
    return status_line(r.parts, microphone or CaptureStats(state="open"), last, None)


async def test_the_status_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Degraded, with each reason; a stop for good; the battery; without a word of what was said."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    said = TurnRecord(turn=3, started="", transcript="ひみつ", reading="ヒミツ", reply="ないしょ", route="fallback")
    async with room(monkeypatch, keep=True, battery=84) as r:
        assert status(r) == "listening; battery 84 %"
        assert status(r, CaptureStats(state="lost")) == "degraded: no microphone; battery 84 %"
        assert status(r, CaptureStats(state="open", silent_zeros=True)).startswith("degraded: the microphone is silent")
        assert status(r, last=said) == "listening; turn 3: fallback; battery 84 %"
        r.parts.lane.request("test", latch=True)
        assert "stopped for good until `claudiactl reset` or 解除" in status(r)
        assert r.parts.audit is not None
        r.parts.audit.write({"turn": object()})
        assert status(r).startswith("degraded: the audit log cannot be written")


def test_a_turn_in_the_status_has_no_word_of_what_was_said() -> None:
    """`systemctl status` is for everybody: what was done and how fast, nothing that was said."""
    nothing = TurnRecord(turn=3, started="", transcript="ひみつ", reading="ヒミツ", reply="ないしょ")
    done = replace(
        nothing,
        route="hotpath",
        steps=(Step(Action("Sit", 1009), "座る"),),
        timings_ms={"speech_end_to_dispatch": 381.4},
    )
    assert turn_text(done) == "turn 3: 座る, 381 ms"
    assert turn_text(replace(nothing, route="fallback")) == "turn 3: fallback"
    assert turn_text(replace(nothing, dropped="silence")) == "turn 3: silence"


def test_the_log_is_as_the_settings_want_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Below the level nothing; words that were said only where they may be logged."""
    configure_logging(settings_with(log={"level": "warning"}, privacy={"log_speech": False}))
    logging.getLogger("claudiad.tts.mouth").info("hidden")
    logging.getLogger("claudiad.tts.mouth").warning("cannot render %r ahead of time: %s", "ひみつ", "why")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.split(maxsplit=1)[1] == "WARNING cannot render '(not logged)' ahead of time: why"


def test_run_reads_the_configuration_again_as_it_was_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command hands `serve` settings with folders, and what reads them again from the same options."""
    seen: list[Settings] = []

    async def fake_serve(settings: Settings, load: Callable[[], Settings], *, on_stopping: Callable[[], None]) -> int:
        seen.extend((settings, load()))
        return 7

    monkeypatch.setattr(cmd_run, "serve", fake_serve)
    monkeypatch.setattr(cmd_run.faulthandler, "enable", lambda: None)
    monkeypatch.setattr(cmd_run.options, "settings_of", lambda _: QUIET)
    assert cmd_run.run(argparse.Namespace()) == 7
    assert seen == [QUIET, QUIET]
