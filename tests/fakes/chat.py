"""A language model from a script: pieces with times between them, on a given clock; knows what is still being written.

It enforces the contract of `claudiad.llm.model.ChatModel`: pieces are never empty, there is one `Done`, and whoever
leaves early has to close it, or `running` stays above zero.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from claudiad.clock import Clock
from claudiad.errors import ModelError
from claudiad.llm.model import ChatRequest, Done, Piece


@dataclass
class ScriptedModel:
    """Answers each request with the next script; the last one again and again."""

    name: str
    clock: Clock
    scripts: Sequence[str | ModelError | Callable[[ChatRequest], str]] = ('{"a":[],"r":"はい。"}',)
    first_token_s: float = 0.2
    token_s: float = 0.05
    piece: int = 2
    """Characters in one piece."""
    breaks_after: int | None = None
    """Pieces after which the stream raises `cut`."""
    stalls_after: int | None = None
    """Pieces after which nothing more comes; 0: not even a first token."""
    logprob: float | None = None
    reason: str = "stop"
    requests: list[ChatRequest] = field(default_factory=list)
    running: int = 0
    written: int = 0
    """Pieces handed out so far."""

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        self.running += 1
        try:
            if isinstance(script, ModelError):
                await self.clock.sleep(self.first_token_s)
                raise script
            text = script(request) if callable(script) else script
            pieces = [text[i : i + self.piece] for i in range(0, len(text), self.piece)]
            for n, piece in enumerate(pieces):
                if self.stalls_after == n:
                    await self.clock.sleep(1e6)
                if self.breaks_after == n:
                    raise ModelError("cut", f"{self.name}: the answer ended before it was done")
                await self.clock.sleep(self.token_s if n else self.first_token_s)
                self.written += 1
                yield Piece(piece, self.logprob)
            if not pieces:
                await self.clock.sleep(self.first_token_s)
            yield Done(self.reason, tokens=len(pieces), eval_ms=len(pieces) * self.token_s * 1000.0)
        finally:
            self.running -= 1
