"""A control server with controls that only remember, and clients that behave and that do not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claudiad.control.server import LONGEST_S, PATIENCE_S, ControlServer
from claudiad.control.wire import JsonObject


@dataclass
class FakeControls:
    """Does what it is told to: remember, fail, or wait."""

    calls: list[tuple[str, ...]] = field(default_factory=list)
    faults: dict[str, Exception] = field(default_factory=dict)
    results: dict[str, JsonObject] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """`ask` ends when it is set; it is, unless a test clears it."""

    def __post_init__(self) -> None:
        self.gate.set()

    async def _done(self, *call: str) -> JsonObject:
        self.calls.append(call)
        if call[0] in self.faults:
            raise self.faults[call[0]]
        return self.results.get(call[0], {"did": call[0]})

    async def status(self) -> JsonObject:
        return await self._done("status")

    async def ask(self, text: str) -> JsonObject:
        await self.gate.wait()
        return await self._done("ask", text)

    async def say(self, text: str) -> JsonObject:
        return await self._done("say", text)

    async def stop(self, by: str) -> JsonObject:
        return await self._done("stop", by)

    async def reset(self, by: str) -> JsonObject:
        return await self._done("reset", by)

    async def mute(self, *, muted: bool) -> JsonObject:
        return await self._done("mute" if muted else "unmute")

    async def reload(self, by: str) -> JsonObject:
        return await self._done("reload", by)

    async def stats(self) -> JsonObject:
        return await self._done("stats")

    @property
    def names(self) -> list[str]:
        """Of the calls, in order."""
        return [call[0] for call in self.calls]


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """A server that has closed the connection meanwhile is no fault of the client's, who then stops talking."""
        if self.writer.is_closing():
            return
        with suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def line(self) -> dict[str, Any] | None:
        """The next answer; None when the connection has ended without one."""
        try:
            got = await asyncio.wait_for(self.reader.readline(), 30)
        except ConnectionError:
            return None
        return json.loads(got) if got else None

    async def ask(self, line: bytes) -> dict[str, Any] | None:
        await self.send(line)
        return await self.line()

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@dataclass
class Rig:
    controls: FakeControls
    server: ControlServer
    path: Path
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        one = Client(*await asyncio.open_unix_connection(self.path))
        self.clients.append(one)
        return one

    async def ask(self, line: bytes) -> dict[str, Any] | None:
        """On a connection of its own."""
        one = await self.client()
        try:
            return await one.ask(line)
        finally:
            await one.close()

    async def until(self, clients: int) -> None:
        """Until the server has so many connections."""
        async with asyncio.timeout(30):
            while self.server.clients != clients:  # noqa: ASYNC110 - it is another side's sockets that are waited for
                await asyncio.sleep(0.001)


@asynccontextmanager
async def serving(folder: Path, *, patience_s: float = PATIENCE_S, longest_s: float = LONGEST_S) -> AsyncIterator[Rig]:
    """A server in a folder; at the end it leaves no task and no socket."""
    path = folder / "control.sock"
    controls = FakeControls()
    async with ControlServer(controls, path, patience_s=patience_s, longest_s=longest_s) as server:
        rig = Rig(controls, server, path)
        try:
            yield rig
        finally:
            for one in rig.clients:
                await one.close()
    assert server.clients == 0
    assert not path.exists()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "control client"]
