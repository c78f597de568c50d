"""The command `claudiactl`: what it shows, how it ends, and how little it takes to start."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import claudiactl, claudiactl_text
from claudiad.app.claudiactl_text import duration, lines_of
from claudiad.app.daemon import BETWEEN_TURNS_S
from claudiad.control import client as client_module
from claudiad.control import wire
from claudiad.control.server import LONGEST_S, MAX_CLIENTS
from claudiad.errors import RobotError
from tests.app.control_rig import Rig, serving

STATUS: dict[str, Any] = {
    "version": "0.1.0", "pid": 7, "uptime_s": 7260.0, "state": "listening", "turns": 3,
    "last_turn": {"turn": 3, "route": "hotpath", "dropped": None, "actions": ["座る"], "refused": [],
                  "timings_ms": {"speech_end_to_dispatch": 381.4}, "ago_s": 4.2},
    "robot": {"engine": "go2", "posture": "standing", "battery": 87, "running": None, "age_ms": 12, "latched": True,
              "stop_unconfirmed": False, "moved_by_others": False},
    "microphone": {"device": "USB", "state": "open", "muted": True, "only_zeros": False, "overflow_samples": 0,
                   "reopened": 1},
    "speaker": {"device": "default", "speaking": False}, "models": "Ollama is up", "audit_lost": 2,
}  # fmt: skip


@contextmanager
def daemon(folder: Path, prepare: Callable[[Rig], Awaitable[None]] | None = None) -> Iterator[Rig]:
    """A server on a thread of its own: the command blocks, as commands do."""
    ready, end = threading.Event(), threading.Event()
    found: list[Rig] = []

    async def serve() -> None:
        async with serving(folder) as rig:
            if prepare is not None:
                await prepare(rig)
            found.append(rig)
            ready.set()
            await asyncio.to_thread(end.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield found[0]
    finally:
        end.set()
        thread.join()


def run(folder: Path, *words: str) -> int:
    return claudiactl.main(["--socket", str(folder / "control.sock"), *words])


@pytest.mark.parametrize("command", wire.get_args(wire.Command))
def test_each_command_asks_for_its_own(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All nine reach the daemon and end with 0; with --json before or behind the command, the answer is one object."""
    words = [command, "座って"] if command in wire.WITH_TEXT else [command]
    with daemon(tmp_path) as rig:
        rig.controls.results = {"stop": {"acknowledged": True}}
        assert run(tmp_path, "--json", *words) == 0
        assert run(tmp_path, *words, "--json") == 0
        assert rig.controls.names == [command, command]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert isinstance(json.loads(lines[0]), dict)


def test_sentences_are_asked_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each TEXT and each line of standard input is one; `say` joins its words; what is no UTF-8 comes as U+FFFD."""
    read, write = os.pipe()
    os.write(write, "立って\n\n伏せ\r\n".encode() + b"\xff\n")
    os.close(write)
    with daemon(tmp_path) as rig, os.fdopen(read) as lines:
        monkeypatch.setattr(sys, "stdin", lines)
        assert run(tmp_path, "ask", "座って", "-") == 0
        assert run(tmp_path, "say", "こん", "にちは\udcff") == 0
        assert [call[1] for call in rig.controls.calls] == ["座って", "立って", "伏せ", "\ufffd", "こん にちは\ufffd"]
    assert capsys.readouterr().err == ""


def test_a_refusal_is_status_1_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the daemon's, an action that safety refused, a stop that is not acknowledged: said, and 1."""
    with daemon(tmp_path) as rig:
        rig.controls.faults = {"reset": RobotError("the latch is stuck")}
        assert run(tmp_path, "reset") == 1
        assert capsys.readouterr().err == "claudiactl reset: the latch is stuck\n"
        assert run(tmp_path, "--json", "reset") == 1
        assert json.loads(capsys.readouterr().out) == {"error": {"code": "robot", "message": "the latch is stuck"}}
        rig.controls.results = {
            "ask": {"text": "宙返り", "route": "hotpath", "refused": [{"name": "FrontFlip", "reason": "危ないです。"}]},
            "stop": {"acknowledged": False},
        }
        assert run(tmp_path, "ask", "宙返り") == 1
        assert "refused FrontFlip: 危ないです。" in capsys.readouterr().out
        assert run(tmp_path, "stop") == 1
        assert "not acknowledged" in capsys.readouterr().out


def test_without_a_daemon_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No socket, a leftover, or a file in its place: 69, and one line with the command to type."""
    path = tmp_path / "control.sock"
    for make in (lambda: None, lambda: path.write_text("x"), path.unlink, lambda: _leftover(path)):
        make()
        assert run(tmp_path, "status") == 69
        err = capsys.readouterr().err
        assert err.startswith("claudiactl status: claudiad is not running")
        assert "systemctl start claudiad" in err
        assert err.count("\n") == 1


def _leftover(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


def test_without_permission_it_names_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """77, and what to do about it; a session's own daemon is still found behind a forbidden one."""
    connect = socket.socket.connect

    def forbidden(self: socket.socket, address: str) -> None:
        if address.startswith("/forbidden"):
            raise PermissionError
        connect(self, address)

    monkeypatch.setattr(client_module.socket.socket, "connect", forbidden, raising=False)
    assert claudiactl.main(["--socket", "/forbidden/control.sock", "status"]) == 77
    assert "add yourself to group claudia" in capsys.readouterr().err
    with daemon(tmp_path):
        assert client_module.ask([Path("/forbidden/s"), tmp_path / "control.sock"], "status") == {"did": "status"}


def test_what_is_no_daemon_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another program behind the socket, or one that hangs up: 75, one line, no traceback."""
    for answer, said in ((b"HTTP/1.1 400\n", "cannot be understood"), (b"", "without an answer")):
        with socket.socket(socket.AF_UNIX) as server:
            path = tmp_path / f"s{len(answer)}"
            server.bind(str(path))
            server.listen()

            def serve(server: socket.socket = server, answer: bytes = answer) -> None:
                there, _ = server.accept()
                there.recv(100)
                there.sendall(answer)
                there.close()

            thread = threading.Thread(target=serve)
            thread.start()
            assert claudiactl.main(["--socket", str(path), "status"]) == 75
            thread.join()
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1


def test_a_stop_goes_through_a_crowd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every place taken: `status` is refused in words, `stop` is carried out."""

    async def crowd(rig: Rig) -> None:
        rig.controls.results = {"stop": {"acknowledged": True, "elapsed_ms": 3.0}}
        for _ in range(MAX_CLIENTS):
            await rig.client()
        await rig.until(clients=MAX_CLIENTS)

    with daemon(tmp_path, crowd):
        assert run(tmp_path, "status") == 1
        assert run(tmp_path, "stop") == 0
    got = capsys.readouterr()
    assert "only a stop is carried out" in got.err
    assert got.out == "stopped after 3 ms; nothing moves until `claudiactl reset`\n"


def test_a_stop_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that cannot even hear another client, or hangs up: the stop is repeated until it is carried out."""
    monkeypatch.setattr(client_module.time, "sleep", lambda _: None)
    answers = [wire.refused(wire.Fault("too-many", "full")), b"", wire.done({"acknowledged": True})]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()

        def serve() -> None:
            for answer in answers:
                there, _ = server.accept()
                there.recv(100)
                there.sendall(answer)
                there.close()

        thread = threading.Thread(target=serve)
        thread.start()
        assert client_module.ask([tmp_path / "s"], "stop") == {"acknowledged": True}
        thread.join()


def test_each_command_is_waited_for_as_long_as_it_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload waits for the end of a turn, a sentence for the robot: longer than the daemon does, never for ever."""
    waits: dict[str, float] = {}
    exchange = client_module._exchange

    def noted(connection: socket.socket, line: bytes) -> object:
        waits[json.loads(line)["cmd"]] = connection.gettimeout() or 0.0
        return exchange(connection, line)

    monkeypatch.setattr(client_module, "_exchange", noted)
    with daemon(tmp_path):
        for command in wire.get_args(wire.Command):
            client_module.ask([tmp_path / "control.sock"], command, "座って" if command in wire.WITH_TEXT else None)
    assert waits["reload"] > BETWEEN_TURNS_S + 60.0, "reading the tables takes its time as well"
    assert min(waits["ask"], waits["say"]) > LONGEST_S
    assert waits["status"] == waits["stop"] == client_module.ANSWER_S


def test_the_status_is_readable() -> None:
    """What matters is in words: state, robot, what holds it, what is muted, the last turn and its age."""
    text = "\n".join(lines_of("status", STATUS))
    assert "up 2 h 1 min: listening" in text
    assert "go2: standing, battery 87 %; held by a stop: `claudiactl reset`, or say 解除" in text
    assert "USB: open; muted: only stops are heard (`claudiactl unmute`); reopened 1 times" in text
    assert "3: 座る, 381 ms, 4 s ago, of 3" in text
    assert "2 records could not be written" in text


def test_the_other_answers_are_readable() -> None:
    """Counts and times on a line each, an answer with its actions and what became of them."""
    stats = {
        "turns": 2, "uptime_s": 90, "routes": {"hotpath": 2}, "dropped": {}, "actions": {"done": 2}, "refused": 0,
        "over_budget": 1, "times_ms": {"decide": {"n": 2, "p50": 1, "p90": 2, "max": 2}},
        "process": {"resident_bytes": 2e8, "threads": 9, "descriptors": 20, "tasks": 5, "cpu_s": 3.2},
    }  # fmt: skip
    assert list(lines_of("stats", stats)) == [
        "2 turns in 1 min", "routes      hotpath 2", "actions     done 2", "refused     0, over budget 1",
        "decision    p50 1 ms, p90 2 ms, max 2 ms, of 2",
        "process     200 MB, 9 threads, 20 files, 5 tasks, 3 s of CPU",
    ]  # fmt: skip
    asked = {
        "text": "一メートル前へ", "route": "motion", "reply": "はい。",
        "actions": [{"name": "StandUp", "params": {}, "inserted": True, "outcome": "done"},
                    {"name": "move", "params": {"x": 1.0}, "outcome": "stopped"}],
    }  # fmt: skip
    assert list(lines_of("ask", asked)) == ["一メートル前へ → motion → StandUp+, move x=1 (stopped)", "  「はい。」"]
    assert [duration(s) for s in (0, 59.9, 60, 3600, 90_000)] == ["0 s", "59 s", "1 min", "1 h 0 min", "1 d 1 h"]


@pytest.mark.parametrize("command", wire.get_args(wire.Command))
def test_an_answer_that_lacks_everything_is_shown(command: wire.Command) -> None:
    """A daemon of another version leaves things out: that is no traceback."""
    assert all(isinstance(line, str) for line in claudiactl_text.lines_of(command, {}))


def test_a_wrong_command_line_is_64(capsys: pytest.CaptureFixture[str]) -> None:
    """As with `claudiad`."""
    for words in ([], ["fly"], ["ask"], ["status", "x"]):
        with pytest.raises(SystemExit) as ended:
            claudiactl.main(words)
        assert ended.value.code == 64
    assert "Traceback" not in capsys.readouterr().err


def test_it_starts_light() -> None:
    """None of the engines, no numpy, no pydantic, no asyncio: a stop does not wait for imports."""
    code = (
        "import sys; from claudiad.app import claudiactl; claudiactl.main(['--socket', '/no/such', 'stop']);"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"asyncio", "numpy", "pydantic", "logging", "rich", "sounddevice", "claudiad.config", "claudiad.app.parts"}
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("claudiad")} == {
        "claudiad", "claudiad.app", "claudiad.app.claudiactl", "claudiad.command_line", "claudiad.control",
        "claudiad.control.address", "claudiad.control.client", "claudiad.control.wire", "claudiad.errors",
    }  # fmt: skip


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    """`python -m claudiad.app.claudiactl` is the command, for where it is not installed."""
    with daemon(tmp_path) as rig:
        words = ["--socket", str(tmp_path / "control.sock"), "--json", "status"]
        done = subprocess.run(
            [sys.executable, "-m", "claudiad.app.claudiactl", *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, {"did": "status"}, "")
        assert rig.controls.names == ["status"]
