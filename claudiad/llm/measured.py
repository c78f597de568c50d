"""One answer of a model with its times, read to its end or to a deadline: for checks and comparisons, not for turns."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from claudiad.clock import Clock
from claudiad.errors import ModelError
from claudiad.llm.model import ChatModel, ChatRequest, Done, Piece

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of one request."""

    text: str
    """All that was written, also when it broke off."""
    first_token_ms: float | None
    """From asking; None: there was no token."""
    total_ms: float
    done: Done | None
    fault: str
    """Why it is not complete, in one line, or ""."""


async def within(work: Coroutine[Any, Any, T], clock: Clock, seconds: float) -> T:
    """The result of `work`. Raises `TimeoutError` after `seconds` on the clock, when `work` is cancelled and over."""
    working = asyncio.create_task(work)
    timing = asyncio.create_task(clock.sleep(seconds))
    try:
        await asyncio.wait((working, timing), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TimeoutError
        return working.result()
    finally:
        working.cancel()
        timing.cancel()
        await asyncio.gather(working, timing, return_exceptions=True)


async def measure(model: ChatModel, request: ChatRequest, clock: Clock, longest_s: float) -> Measured:
    """Ask once. Never raises `ModelError`; leaves nothing running on the server."""
    pieces: list[str] = []
    first_at: float | None = None
    done: Done | None = None
    began_at = clock.now()

    async def read() -> None:
        nonlocal first_at, done
        async with aclosing(model.stream(request)) as parts:
            async for part in parts:
                if isinstance(part, Piece):
                    first_at = clock.now() if first_at is None else first_at
                    pieces.append(part.text)
                else:
                    done = part

    fault = ""
    try:
        await within(read(), clock, longest_s)
    except ModelError as broken:
        fault = str(broken)
    except TimeoutError:
        what = "no first token" if first_at is None else "not done"
        fault = f"{model.name}: {what} in {longest_s:g} s"
    first_ms = None if first_at is None else (first_at - began_at) * 1000.0
    return Measured("".join(pieces), first_ms, (clock.now() - began_at) * 1000.0, done, fault)
