"""The scripted Ollama without sockets: an httpx transport, for clocks that jump."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from tests.fakes.ollama_core import Body, FakeOllama
from tests.fakes.ollama_faults import ConnectionLost, Refused

_LOST = "peer closed connection without sending complete message body (incomplete chunked read)"


class OllamaTransport(httpx.AsyncBaseTransport):
    """Carries requests to `core`; nothing but futures of asyncio is awaited."""

    def __init__(self, core: FakeOllama) -> None:
        self.core = core
        self.url = "http://127.0.0.1:11434"
        self.open: set[Body] = set()
        """Replies nobody has closed yet."""
        self._listening = True
        self._reachable = True

    async def up(self) -> None:
        """Listen."""
        self._listening = self._reachable = True

    async def down(self) -> None:
        """Refuse connections. What is being answered goes on."""
        self._listening = False

    def unplug(self) -> None:
        """Let connections come to nothing, neither accepted nor refused."""
        self._reachable = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._reachable:
            await self.core.clock.sleep(request.extensions["timeout"]["connect"])
            raise httpx.ConnectTimeout("timed out", request=request)
        if not self._listening:
            raise httpx.ConnectError("All connection attempts failed", request=request)
        try:
            reply = await self.core.handle(request.method, request.url.path, await request.aread())
        except Refused:
            raise httpx.ConnectError("All connection attempts failed", request=request) from None
        except ConnectionLost:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from None
        self.open.add(reply.body)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply.body, self.open))


class _Stream(httpx.AsyncByteStream):
    def __init__(self, body: Body, held: set[Body]) -> None:
        self._body = body
        self._held = held

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._body:
                if chunk:
                    yield chunk
        except ConnectionLost:
            raise httpx.RemoteProtocolError(_LOST) from None

    async def aclose(self) -> None:
        self._held.discard(self._body)
        await self._body.aclose()
