"""Ask one model; when it is late or fails, the next one beside it: the first token wins, the others are cancelled.

Every wait here has an end: the deadline of the model asked last, then `Budget.give_up_at` for a first token, `STALL_S`
between two pieces, and `Budget.end_at` for the whole answer. Leaving the race in any way closes every stream, and
with it the generation on the server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from claudiad.clock import Clock
from claudiad.errors import ModelError
from claudiad.llm.budget import Budget
from claudiad.llm.figures import Call, CallFault, Figures
from claudiad.llm.model import ChatModel, ChatRequest, Done, Piece

log = logging.getLogger(__name__)

STALL_S = 2.0
"""Longest silence between two pieces of an answer; the slowest model worth asking writes several a second."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A model in the race."""

    model: ChatModel
    deadline_s: float
    """Seconds from its start after which its first token is late."""
    ready: bool
    """It can be asked beside another one: loaded, or not on this machine at all. Loading it might evict the other."""
    host: str = ""
    """Where it is asked: when one model there cannot be reached, the others are not tried."""


@dataclass(frozen=True, slots=True)
class Late:
    """No first token when it was due; whether another model is being asked now as well."""

    hedged: bool


@dataclass(frozen=True, slots=True)
class Won:
    """The first token is there; its pieces follow."""

    model: ChatModel
    at: float
    """Clock time."""
    hedged: bool
    """It was not the first one asked."""


class NoAnswer(Exception):
    """No model gave a first token, or the winner broke off; `reasons` has one line per model."""

    def __init__(self, reasons: Sequence[str], broke_off: ChatModel | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)
        self.broke_off = broke_off


class _Attempt:
    """One model being asked: its stream is read by a task of its own, which is all that has to be cancelled."""

    def __init__(self, runner: Runner, request: ChatRequest, out: asyncio.Queue[_Item], clock: Clock) -> None:
        self.model = runner.model
        self.host = runner.host
        self.began_at = clock.now()
        self.late_at = self.began_at + runner.deadline_s
        self.first_at: float | None = None
        self.noted = False
        self._request = request
        self._out = out
        self._task = asyncio.create_task(self._read(), name=f"ask {runner.model.name}")

    async def _read(self) -> None:
        out = self._out
        try:
            async with aclosing(self.model.stream(self._request)) as stream:
                async for part in stream:
                    out.put_nowait((self, part))
        except ModelError as fault:
            out.put_nowait((self, fault))
        except Exception as fault:
            log.exception("asking %s failed", self.model.name)
            out.put_nowait((self, ModelError("server", f"{self.model.name}: {type(fault).__name__}")))

    def cancel(self) -> None:
        """End it, on the server too, without waiting for that. Once: a second time would break off the closing."""
        if not self._task.cancelling():
            self._task.cancel()

    async def close(self) -> None:
        """End it; returns when its stream is closed."""
        self.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


_Item = tuple[_Attempt, Piece | Done | ModelError]


class Race:
    """Asks models within budgets and keeps the account of each call. All of it belongs to the event loop."""

    def __init__(self, figures: Figures, clock: Clock, wall: Callable[[], float]) -> None:
        """Args: `wall` is the wall clock in seconds since the epoch: figures outlive the process."""
        self._figures = figures
        self._clock = clock
        self._wall = wall

    async def run(
        self, request: ChatRequest, runners: Sequence[Runner], budget: Budget
    ) -> AsyncGenerator[Late | Won | Piece | Done, None]:
        """`Late` at most once, `Won`, the winner's pieces, its `Done`.

        Raises `NoAnswer` when nobody answers in time, or when the winner breaks off (`broke_off` is it then).
        """
        queue: asyncio.Queue[_Item] = asyncio.Queue()
        asked: list[_Attempt] = []
        try:
            async with aclosing(self._first(request, runners, budget, queue, asked)) as first:
                async for event in first:
                    yield event
            (winner,) = (attempt for attempt in asked if attempt.first_at is not None)
            async with aclosing(self._rest(winner, budget, queue)) as rest:
                async for part in rest:
                    yield part
        finally:
            for attempt in asked:
                self._note(attempt, "cancelled")
            await asyncio.gather(*(attempt.close() for attempt in asked))

    async def _first(
        self,
        request: ChatRequest,
        runners: Sequence[Runner],
        budget: Budget,
        queue: asyncio.Queue[_Item],
        asked: list[_Attempt],
    ) -> AsyncGenerator[Late | Won | Piece | Done, None]:
        """Until the first token. All that are started come into `asked`; those that lost are cancelled and not waited
        for, because what closing them takes would keep the winner's words waiting.
        """
        waiting, reasons, told = list(runners), list[str](), False
        running: list[_Attempt] = []

        def start(runner: Runner) -> None:
            running.append(_Attempt(runner, request, queue, self._clock))
            asked.append(running[-1])

        def give_up() -> NoAnswer:
            reasons.extend(f"{a.model.name}: no first token in time" for a in running)
            for attempt in running:
                self._note(attempt, "late")
            return NoAnswer(reasons or ["no model is configured"])

        if waiting:
            start(waiting.pop(0))
        while running:
            late_at = max(attempt.late_at for attempt in running)
            pending = not told or any(r.ready for r in waiting)
            got = await self._within(queue, min(late_at, budget.give_up_at) if pending else budget.give_up_at)
            if got is None:
                if self._clock.now() >= budget.give_up_at:
                    raise give_up()
                beside = next((r for r in waiting if r.ready), None)
                if beside is not None:
                    log.info("%s is late: asking %s beside it", running[-1].model.name, beside.model.name)
                    waiting.remove(beside)
                    start(beside)
                if not told:
                    told = True
                    yield Late(hedged=beside is not None)
                continue
            attempt, item = got
            if attempt not in running:
                continue
            if isinstance(item, ModelError):
                running.remove(attempt)
                reasons.append(str(item))
                self._note(attempt, item.fault)
                if item.fault in ("unreachable", "timeout"):
                    waiting = [runner for runner in waiting if runner.host != attempt.host]
                if waiting and not running and self._clock.now() < budget.give_up_at:
                    start(waiting.pop(0))  # what failed needs no room any more
                continue
            attempt.first_at = self._clock.now()
            for other in [a for a in running if a is not attempt]:
                running.remove(other)
                self._note(other, "cancelled")
                other.cancel()
            yield Won(attempt.model, attempt.first_at, hedged=attempt.model is not runners[0].model)
            if isinstance(item, Done):  # an empty answer
                self._note(attempt)
            yield item
            return
        raise give_up()

    async def _rest(
        self, winner: _Attempt, budget: Budget, queue: asyncio.Queue[_Item]
    ) -> AsyncGenerator[Piece | Done, None]:
        while not winner.noted:
            got = await self._within(queue, min(self._clock.now() + STALL_S, budget.end_at))
            if got is None:
                self._note(winner, "late")
                over = self._clock.now() >= budget.end_at
                reason = "the turn's time is over" if over else f"nothing more for {STALL_S:g} s"
                raise NoAnswer([f"{winner.model.name}: {reason}"], winner.model)
            attempt, item = got
            if attempt is not winner:
                continue
            if isinstance(item, ModelError):
                self._note(winner, item.fault)
                raise NoAnswer([str(item)], winner.model)
            if isinstance(item, Done):
                self._note(winner)
            yield item

    async def _within(self, queue: asyncio.Queue[_Item], deadline: float) -> _Item | None:
        """What comes next, or None at the deadline."""
        if not queue.empty():
            return queue.get_nowait()
        getting = asyncio.create_task(queue.get())
        timing = asyncio.create_task(self._clock.sleep(max(0.0, deadline - self._clock.now())))
        try:
            await asyncio.wait((getting, timing), return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()
            timing.cancel()

    def _note(self, attempt: _Attempt, fault: CallFault | None = None) -> None:
        """One line in the account of its model: what became of this attempt first; without a fault, an answer."""
        if attempt.noted:
            return
        attempt.noted = True
        now = self._clock.now()
        first = None if attempt.first_at is None else (attempt.first_at - attempt.began_at) * 1000.0
        total = (now - attempt.began_at) * 1000.0
        self._figures.observe(Call(attempt.model.name, self._wall(), first, total, fault))
