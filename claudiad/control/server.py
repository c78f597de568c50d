"""Serves the control socket: many clients, each with its own time, none of them able to hold up the daemon.

- At most `MAX_CLIENTS` are served. One that comes beyond them is heard out once: a stop is carried out, anything else
  is refused as `too-many`. Beyond `MAX_CLIENTS + SPARE` connections are closed unheard.
- A line has to be whole within `patience_s`, and an answer has to be taken within as much; else the connection ends.
- A line that is no request at all ends the connection; a wrong request does not.
- One request of a connection after the other; each gives the event loop back before the next.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from claudiad.control import wire
from claudiad.control.commands import Controls, carry_out
from claudiad.control.listening import Door
from claudiad.control.wire import Fault, Request
from claudiad.errors import ClaudiaError

log = logging.getLogger(__name__)

MAX_CLIENTS = 16
SPARE = 48
PATIENCE_S = 10.0
LONGEST_S = 120.0
"""The longest a command may take: a walk with what is said about it takes less."""

_LOGGED = frozenset({"stop", "reset", "reload", "mute", "unmute"})
_HOPELESS = frozenset({"malformed", "version", "too-long", "timeout"})
"""After these nothing sensible can follow on the same connection."""


class ControlServer:
    """Listens from `async with` on until its end; then no socket and no task of it is left."""

    def __init__(
        self, controls: Controls, path: Path, *, patience_s: float = PATIENCE_S, longest_s: float = LONGEST_S
    ) -> None:
        """Args: `path` is the socket's, in a folder that is made when it is missing."""
        self._controls = controls
        self._path = path
        self._patience_s = patience_s
        self._longest_s = longest_s
        self._clients: set[asyncio.Task[None]] = set()
        self._closing = False
        self._door: Door | None = None
        self._server: asyncio.Server | None = None

    @property
    def clients(self) -> int:
        """Connections that are open."""
        return len(self._clients)

    async def __aenter__(self) -> ControlServer:
        """Raises Busy when another daemon listens there, ConfigError when there can be no socket there."""
        self._door = await asyncio.to_thread(Door, self._path)
        try:
            # The backlog holds a burst of clients until each gets its answer, if only that there are too many.
            self._server = await asyncio.start_unix_server(
                self._connected, sock=self._door.socket, limit=wire.MAX_LINE - 1, backlog=128
            )
        except BaseException:
            self._door.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        if self._server is not None:
            self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        if self._door is not None:
            self._door.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.create_task(self._serve(reader, writer, len(self._clients)), name="control client")
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)
        # However it ended, also when it was cancelled before it began.
        client.add_done_callback(lambda _: writer.transport.abort())
        if self._closing:
            client.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, others: int) -> None:
        """`others`: connections that were open before it came."""
        served = others < MAX_CLIENTS
        try:
            if others < MAX_CLIENTS + SPARE:
                while await self._one(reader, writer, served=served):
                    pass
            else:
                await self._answer(writer, wire.refused(Fault("too-many", _TOO_MANY)))
        except (OSError, TimeoutError) as gone:
            log.debug("a control client went away: %r", gone)
        else:
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._patience_s):
                    await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, served: bool) -> bool:
        """Read and answer one request; False when the connection has come to its end."""
        await asyncio.sleep(0)  # lines that have come already are read without a pause; others want to go on too
        line = await self._line(reader)
        if line == b"":
            return False
        asked = line if isinstance(line, Fault) else wire.read_request(line)
        if not served and not (isinstance(asked, Request) and asked.command == "stop"):
            asked = Fault("too-many", _TOO_MANY)
        await self._answer(writer, await self._reply(asked, _peer(writer)))
        return served and not (isinstance(asked, Fault) and asked.code in _HOPELESS)

    async def _line(self, reader: asyncio.StreamReader) -> bytes | Fault:
        """A line with its end, b"" when the client has nothing more to say, or why there is none."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return b""
        except asyncio.LimitOverrunError:
            return Fault("too-long", f"a line has at most {wire.MAX_LINE} bytes")
        except TimeoutError:
            return Fault("timeout", f"no whole line in {self._patience_s:g} s")

    async def _answer(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        """Raises TimeoutError when the client does not take it, OSError when it is gone."""
        writer.write(line)
        async with asyncio.timeout(self._patience_s):
            await writer.drain()

    async def _reply(self, asked: Request | Fault, by: str) -> bytes:
        if isinstance(asked, Fault):
            return wire.refused(asked)
        if asked.command in _LOGGED:
            log.info("control: %s by %s", asked.command, by)
        try:
            async with asyncio.timeout(self._longest_s):
                return wire.done(await carry_out(asked, self._controls, by))
        except ClaudiaError as fault:
            return wire.refused(Fault(fault.code, "; ".join(str(fault).splitlines())))
        except TimeoutError:
            return wire.refused(Fault("timeout", f"{asked.command} takes longer than {self._longest_s:g} s"))
        except Exception:
            log.exception("control: %s failed", asked.command)
            return wire.refused(Fault("internal", f"{asked.command} failed; the daemon's log says why"))


_TOO_MANY = f"{MAX_CLIENTS} connections are open already; only a stop is carried out now"


def _peer(writer: asyncio.StreamWriter) -> str:
    """Who is at the other end, as the kernel says: the user and the process that connected."""
    try:
        found = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return "a client that is gone"
    pid, uid, _ = struct.unpack("3i", found)
    return f"uid {uid}, pid {pid}"
