"""The scripted Ollama on a real TCP port of this computer."""

from __future__ import annotations

from types import TracebackType

from aiohttp import web

from tests.fakes.ollama_core import FakeOllama
from tests.fakes.ollama_faults import ConnectionLost, Refused


class OllamaTcp:
    """`async with OllamaTcp(core) as front:` serves at `front.url` until it is left, or `down` between `up`s."""

    def __init__(self, core: FakeOllama, port: int = 0) -> None:
        self.core = core
        self.port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def up(self) -> None:
        """Listen; on the port it had, if it was down."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        # A handler whose client has gone is cancelled, as Go cancels the context of the request.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Listen no more and drop every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> OllamaTcp:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        try:
            reply = await self.core.handle(request.method, request.path, await request.read())
            try:
                response.set_status(reply.status)
                response.headers.update(reply.headers)
                response.enable_chunked_encoding()
                await response.prepare(request)
                async for chunk in reply.body:
                    if chunk:
                        await response.write(chunk)
                await response.write_eof()
            finally:
                await reply.body.aclose()
        except (ConnectionLost, Refused):
            assert request.transport is not None
            request.transport.abort()
        except ConnectionResetError:
            # The client went while something was being sent.
            pass
        return response
