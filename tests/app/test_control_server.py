"""The control socket's server: who may connect, what becomes of bad clients, and that none of them holds it up."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import grp
import json
import logging
import os
import random
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claudiad.control import listening, wire
from claudiad.control.address import candidates, own_directory
from claudiad.control.listening import Door
from claudiad.control.server import MAX_CLIENTS, SPARE, ControlServer
from claudiad.errors import Busy, ConfigError, RobotError
from claudiad.service.usage import Usage
from tests.app.control_rig import Client, FakeControls, serving
from tests.fakes.loop import long_callbacks

STATUS, STOP = wire.request("status"), wire.request("stop")


def code(reply: dict[str, object] | None) -> object:
    """Of an error, or "ok"; None when there was no answer."""
    if reply is None or reply["ok"]:
        return reply and "ok"
    error = reply["error"]
    assert isinstance(error, dict)
    return error["code"]


async def test_every_command_reaches_its_method(tmp_path: Path) -> None:
    """All nine on one connection, in order, each answered with what its method gave."""
    lines = [(c, wire.request(c, "座って" if c in wire.WITH_TEXT else None)) for c in wire.get_args(wire.Command)]
    async with serving(tmp_path) as rig:
        client = await rig.client()
        for command, line in lines:
            assert await client.ask(line) == {"v": 1, "ok": True, "result": {"did": command}}
        assert rig.controls.names == [command for command, _ in lines]
        assert rig.controls.calls[1:3] == [("ask", "座って"), ("say", "座って")]


async def test_a_stop_names_who_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """User and process as the kernel gives them, for the log and as the reason; a look at the status is not logged."""
    caplog.set_level(logging.INFO)
    async with serving(tmp_path) as rig:
        for command in ("status", "stop", "reset", "reload"):
            await rig.ask(wire.request(command))  # type: ignore[arg-type]
        me = f"uid {os.getuid()}, pid {os.getpid()}"
        assert rig.controls.calls == [("status",), ("stop", me), ("reset", me), ("reload", me)]
    assert [r.getMessage() for r in caplog.records] == [f"control: {c} by {me}" for c in ("stop", "reset", "reload")]


async def test_the_socket_is_the_groups(tmp_path: Path) -> None:
    """0660 whatever the umask, from the moment it exists; gone at the end."""
    for umask in (0o000, 0o077):
        before = os.umask(umask)
        try:
            door = Door(tmp_path / "run" / "control.sock")
        finally:
            os.umask(before)
        with socket.socket(socket.AF_UNIX) as early, pytest.raises(ConnectionRefusedError):
            early.connect(str(door.path))
        assert stat.S_IMODE(door.path.stat().st_mode) == 0o660
        door.close()
        assert not door.path.exists()


def test_a_sandbox_without_chown_is_no_remark_where_the_group_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The unit runs in the group and may not change it: only a socket of another group is worth a line."""

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(listening, "GROUP", grp.getgrgid(os.getegid()).gr_name)
    monkeypatch.setattr(os, "chown", refused)
    with caplog.at_level(logging.INFO):
        Door(tmp_path / "control.sock").close()
        assert caplog.messages == []
        other = next(one.gr_name for one in grp.getgrall() if one.gr_gid != os.getegid())
        monkeypatch.setattr(listening, "GROUP", other)
        Door(tmp_path / "control.sock").close()
    assert [message.startswith("not a member of the group") for message in caplog.messages] == [True]


async def test_a_leftover_is_replaced_and_a_living_daemon_is_not(tmp_path: Path) -> None:
    """A socket nobody listens on is taken over; where a daemon listens, a second one is told so and leaves it alone."""
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with serving(tmp_path) as rig:
        with pytest.raises(Busy, match="another claudiad listens on"):
            await ControlServer(FakeControls(), path).__aenter__()
        assert code(await rig.ask(STATUS)) == "ok"


def test_nobody_else_can_keep_it_from_starting(tmp_path: Path) -> None:
    """A lock on the folder, which everybody can open, is none; what it waits for only its own user can open."""
    reader = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(reader, fcntl.LOCK_EX)
        Door(tmp_path / "control.sock", patience_s=0.0).close()
    finally:
        os.close(reader)
    assert stat.S_IMODE((tmp_path / listening.LOCK).stat().st_mode) == 0o600


def test_one_that_does_not_get_on_is_not_waited_for(tmp_path: Path) -> None:
    """Another daemon of the same user that hangs while it binds: Busy, and no socket is taken from it."""
    holder = os.open(tmp_path / listening.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(Busy, match="another claudiad is starting on"):
            Door(tmp_path / "control.sock", patience_s=0.0)
        assert not (tmp_path / "control.sock").exists()
    finally:
        os.close(holder)
    Door(tmp_path / "control.sock", patience_s=0.0).close()


@pytest.mark.parametrize("what", ["file", "no folder", "long"])
async def test_where_no_socket_can_be_is_one_line(tmp_path: Path, what: str) -> None:
    """A file in its place, a folder that is none, a path too long: ConfigError, and the file is left as it was."""
    path = {"file": tmp_path / "x", "no folder": tmp_path / "x" / "s", "long": tmp_path / ("x" * 120)}[what]
    (tmp_path / "x").write_text("mine")
    with pytest.raises(ConfigError, match=r"^no control socket at .*[^\n]*$"):
        await ControlServer(FakeControls(), path).__aenter__()
    assert (tmp_path / "x").read_text() == "mine"


async def test_a_socket_that_was_replaced_is_left_alone(tmp_path: Path) -> None:
    """At its end a daemon removes its own socket only."""
    path = tmp_path / "control.sock"
    door = Door(path)
    path.unlink()
    path.write_text("another's")
    door.close()
    assert path.read_text() == "another's"


def test_the_folder_is_the_runtime_directory() -> None:
    """systemd's, else the session's, else root's; a client looks in the session's and the system's."""
    assert own_directory({"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/x"}, 1000) == Path("/run/a")
    assert own_directory({"XDG_RUNTIME_DIR": "/run/user/7"}, 7) == Path("/run/user/7/claudia")
    assert own_directory({}, 0) == Path("/run/claudia")
    assert own_directory({}, 7) is None
    here, system = Path("/run/user/7/claudia/control.sock"), Path("/run/claudia/control.sock")
    assert candidates({"XDG_RUNTIME_DIR": "/run/user/7"}, 7) == [here, system]
    assert candidates({}, 7) == candidates({}, 0) == [system]


async def test_a_fault_is_an_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a method raises comes back with its code in one line, a fault of the program without its traceback."""
    async with serving(tmp_path) as rig:
        rig.controls.faults = {
            "reset": RobotError("the latch is stuck"),
            "reload": ConfigError(["a:1: x", "a:2: y"]),
            "stats": ZeroDivisionError("secret"),
        }
        rig.controls.results = {"status": {"battery": float("nan")}}
        client = await rig.client()
        assert await client.ask(wire.request("reset")) == {
            "v": 1, "ok": False, "error": {"code": "robot", "message": "the latch is stuck"},
        }  # fmt: skip
        reply = await client.ask(wire.request("reload"))
        assert reply is not None
        assert reply["error"] == {"code": "config", "message": "a:1: x; a:2: y"}
        for broken in ("stats", "status"):
            reply = await client.ask(wire.request(broken))  # type: ignore[arg-type]
            assert code(reply) == "internal"
            assert "secret" not in json.dumps(reply)
    assert [r.getMessage() for r in caplog.records if r.exc_info] == ["control: stats failed", "control: status failed"]


async def test_a_wrong_request_does_not_end_the_connection_and_a_wrong_language_does(tmp_path: Path) -> None:
    """After an unknown command the next one is answered; after a line that is no JSON the connection is closed."""
    async with serving(tmp_path) as rig:
        client = await rig.client()
        assert code(await client.ask(b'{"v":1,"cmd":"fly"}\n')) == "unknown-command"
        assert code(await client.ask(STATUS)) == "ok"
        assert code(await client.ask(b"GET / HTTP/1.1\r\n")) == "malformed"
        assert await client.line() is None


async def test_a_long_line_is_refused(tmp_path: Path) -> None:
    """64 KiB with its end are read, one byte more is not."""
    room = wire.MAX_LINE - len(STATUS)
    async with serving(tmp_path) as rig:
        assert code(await rig.ask(STATUS[:-1] + b" " * room + b"\n")) == "ok"
        assert code(await rig.ask(STATUS[:-1] + b" " * (room + 1) + b"\n")) == "too-long"


async def test_a_slow_client_is_given_up(tmp_path: Path) -> None:
    """Half a line and nothing more, or byte by byte: an error after the patience, the end, and others are served."""
    async with serving(tmp_path, patience_s=0.2) as rig:
        slow = await rig.client()
        await slow.send(STATUS[:5])
        assert code(await rig.ask(STATUS)) == "ok"
        assert code(await slow.line()) == "timeout"
        assert await slow.line() is None


async def test_a_client_that_takes_no_answer_is_given_up(tmp_path: Path) -> None:
    """Answers that nobody reads fill the socket: then that connection ends, and nothing piles up."""
    async with serving(tmp_path, patience_s=0.2) as rig:
        rig.controls.results = {"status": {"filler": "x" * 50_000}}
        deaf = await rig.client()
        deaf.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await rig.until(clients=1)
        await deaf.send(STATUS * 200)
        await rig.until(clients=0)
        assert len(rig.controls.calls) < 200


async def test_a_burst_of_requests_lets_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred lines in one piece: between any two of them the rest of the loop has its turn."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with serving(tmp_path) as rig:
        seen: list[int] = []
        status = rig.controls.status

        async def noted() -> wire.JsonObject:
            seen.append(turns)
            return await status()

        monkeypatch.setattr(rig.controls, "status", noted)
        rest = asyncio.create_task(others())
        client = await rig.client()
        await client.send(STATUS * 500)
        for _ in range(500):
            assert code(await client.line()) == "ok"
        assert len(set(seen)) == 500
        rest.cancel()
        await asyncio.gather(rest, return_exceptions=True)


async def test_an_error_reaches_a_client_that_is_still_sending(tmp_path: Path) -> None:
    """One that reads only after it has sent all: the answer is there, though the rest was never read."""
    async with serving(tmp_path) as rig:
        with socket.socket(socket.AF_UNIX) as late:
            late.connect(str(rig.path))
            await rig.until(clients=1)
            late.sendall(b"garbage\n" * 5000)
            await rig.until(clients=0)
            assert code(json.loads(late.recv(1000))) == "malformed"


async def test_a_command_has_an_end(tmp_path: Path) -> None:
    """One that never returns is answered with `timeout`; a client that has gone meanwhile leaves nothing behind."""
    async with serving(tmp_path, longest_s=0.05) as rig:
        rig.controls.gate.clear()
        assert code(await rig.ask(wire.request("ask", "座って"))) == "timeout"
        await rig.until(clients=0)
        gone = await rig.client()
        await gone.send(wire.request("ask", "座って"))
        await rig.until(clients=1)
        await gone.close()
        await rig.until(clients=0)


async def test_a_full_house_still_stops(tmp_path: Path) -> None:
    """With every place taken by clients that wait, a newcomer is refused in words, and its stop is carried out."""
    async with serving(tmp_path) as rig:
        rig.controls.gate.clear()
        for _ in range(MAX_CLIENTS):
            await (await rig.client()).send(wire.request("ask", "座って"))
        await rig.until(clients=MAX_CLIENTS)
        assert code(await rig.ask(STATUS)) == "too-many"
        assert code(await rig.ask(STOP)) == "ok"
        assert rig.controls.names == ["stop"]


async def test_a_flood_of_connections_is_bounded(tmp_path: Path) -> None:
    """A hundred silent clients at once: no more than 64 are held, and when they are gone it serves as before."""
    before = Usage.now().descriptors
    async with serving(tmp_path) as rig:
        crowd = [await rig.client() for _ in range(100)]
        await rig.until(clients=MAX_CLIENTS + SPARE)
        refused = [one for one in crowd[MAX_CLIENTS + SPARE :] if code(await one.line()) == "too-many"]
        assert len(refused) == 100 - MAX_CLIENTS - SPARE
        for one in crowd:
            await one.close()
        await rig.until(clients=0)
        assert code(await rig.ask(STATUS)) == "ok"
    assert Usage.now().descriptors == before


async def test_the_end_does_not_wait_for_clients(tmp_path: Path) -> None:
    """Closing ends connections that wait for input and those whose command is under way."""
    async with serving(tmp_path) as rig:
        rig.controls.gate.clear()
        silent, waiting = await rig.client(), await rig.client()
        await waiting.send(wire.request("ask", "座って"))
        await rig.until(clients=2)
    assert await silent.line() is None


def garbage(dice: random.Random, size: int) -> bytes:
    """Random bytes, scraps of JSON and of the protocol, ends of lines here and there."""
    scraps = [
        STATUS,
        STATUS[:-3],
        b'{"v":1,"cmd":"',
        b"\x00" * 50,
        b"[" * 400,
        b"\n\n\n",
        "座って".encode(),
        b'\\ud800"}\n',
    ]
    made = b""
    while len(made) < size:
        made += dice.choice(scraps) if dice.random() < 0.5 else dice.randbytes(dice.randrange(1, 2000))
    return made[:size]


async def test_a_megabyte_of_garbage_over_a_hundred_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each answer is an error of ours or a status; no traceback, no command that was not asked for, nothing left open,
    no callback that holds the loop, and the next client is served as if nothing had been."""
    gc.collect()
    gc.freeze()  # as the daemon does: what other tests have left is not walked through in a callback of this one
    worst = long_callbacks(monkeypatch, 50.0)
    dice = random.Random(7)
    before = Usage.now().descriptors
    async with serving(tmp_path, patience_s=1.0) as rig:

        async def abuse(data: bytes) -> list[object]:
            one = await rig.client()
            reading = asyncio.create_task(_everything(one))
            for start in range(0, len(data), 1500):
                await one.send(data[start : start + 1500])
                if dice.random() < 0.1:
                    await asyncio.sleep(0.001)
            if one.writer.can_write_eof() and not one.writer.is_closing():
                one.writer.write_eof()
            codes = await reading
            await one.close()
            return codes

        parts = [garbage(dice, 10_486) for _ in range(100)]
        codes = {each for found in await asyncio.gather(*map(abuse, parts)) for each in found}
        assert codes <= {"ok", *wire.OWN_CODES}
        assert {"malformed", "too-many"} <= codes
        assert set(rig.controls.names) <= {"status"}
        await rig.until(clients=0)
        assert code(await rig.ask(STATUS)) == "ok"
    assert not [r for r in caplog.records if r.exc_info or r.levelno >= logging.WARNING]
    gc.unfreeze()
    assert worst == []
    assert Usage.now().descriptors == before


async def _everything(one: Client) -> list[object]:
    codes: list[object] = []
    while (reply := await one.line()) is not None:
        codes.append(code(reply))
    return codes


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=80).map(lambda b: b.replace(b"\n", b"")), max_size=5))
async def test_any_lines_leave_it_serving(tmp_path: Path, lines: list[bytes]) -> None:
    """Whatever lines a client sends, each gets an error until the connection ends, and a stop still works."""
    async with serving(tmp_path) as rig:
        one = await rig.client()
        for line in lines:
            reply = await one.ask(line + b"\n")
            assert reply is None or code(reply) in wire.OWN_CODES
        assert code(await rig.ask(STOP)) == "ok"
        assert rig.controls.names == ["stop"]
