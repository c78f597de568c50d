"""The race for a first token, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from claudiad.clock import JumpClock
from claudiad.errors import ModelError
from claudiad.llm.budget import Budget
from claudiad.llm.figures import Call, Figures
from claudiad.llm.model import ChatRequest, Done, Message, Piece
from claudiad.llm.race import STALL_S, Late, NoAnswer, Race, Runner, Won
from tests.fakes.chat import ScriptedModel

REQUEST = ChatRequest((Message("user", "「こんにちは」"),), None, 40)
BUDGET = Budget(zero_at=0.0, first_token_s=0.5, turn_s=8.0)


class Account(Figures):
    """Keeps every call it is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def observe(self, call: Call) -> None:
        self.calls.append(call)
        super().observe(call)

    def faults(self, model: str) -> list[str | None]:
        return [call.fault for call in self.calls if call.model == model]


@dataclass
class Slow(ScriptedModel):
    """Closing its stream takes a second; `closed` counts those that came to their end."""

    closed: int = 0

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        try:
            async with aclosing(super().stream(request)) as parts:
                async for part in parts:
                    yield part
        finally:
            await self.clock.sleep(1.0)
            self.closed += 1


class Ring:
    """A race on a clock of its own."""

    def __init__(self) -> None:
        self.clock = JumpClock()
        self.figures = Account()
        self.race = Race(self.figures, self.clock, lambda: 1000.0)
        self.events: list[object] = []
        self.times: list[float] = []

    def model(self, name: str, **how: object) -> ScriptedModel:
        return ScriptedModel(name, self.clock, **how)  # type: ignore[arg-type]

    async def run(self, *runners: Runner, budget: Budget = BUDGET) -> None:
        async with aclosing(self.race.run(REQUEST, runners, budget)) as events:
            async for event in events:
                self.events.append(event)
                self.times.append(self.clock.now())

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Piece))


def runner(model: ScriptedModel, deadline_s: float = 0.5, ready: bool = True) -> Runner:
    return Runner(model, deadline_s, ready)


async def test_a_model_in_time_is_the_only_one_asked() -> None:
    """Nobody is asked beside a model whose first token comes within its deadline."""
    ring = Ring()
    first, second = ring.model("7b"), ring.model("3b")
    await ring.run(runner(first), runner(second))
    assert ring.of(Won) == [Won(first, 0.2, hedged=False)]
    assert ring.text == first.scripts[0]
    assert not second.requests
    assert not ring.of(Late)
    assert isinstance(ring.events[-1], Done)


async def test_a_late_model_gets_company_and_the_first_token_wins() -> None:
    """The next model starts beside one that is late; the loser is cancelled, and nothing of it runs on."""
    ring = Ring()
    slow, quick = ring.model("7b", first_token_s=3.0), ring.model("3b", first_token_s=0.1)
    await ring.run(runner(slow), runner(quick))
    assert ring.of(Late) == [Late(hedged=True)]
    assert ring.of(Won) == [Won(quick, pytest.approx(0.6), hedged=True)]
    assert slow.running == quick.running == 0
    assert slow.written == 0
    assert ring.figures.faults("7b") == ["cancelled"]
    assert ring.figures.faults("3b") == [None]


@pytest.mark.parametrize("words", ['{"a":[],"r":"はい。"}', '{"a":[],"r":"' + "とても長い返事です。" * 20 + '"}'])
async def test_closing_a_loser_keeps_nobody_waiting(words: str) -> None:
    """The winner's first token is handed on when it comes; the loser is closed to its end, and none is left behind."""
    ring = Ring()
    slow, quick = Slow("7b", ring.clock, first_token_s=3.0), ring.model("3b", scripts=[words], first_token_s=0.1)
    await ring.run(runner(slow), runner(quick))
    (won,) = ring.of(Won)
    assert ring.times[ring.events.index(won)] == pytest.approx(0.6)
    assert ring.text == words
    assert ring.times[-1] == pytest.approx(0.6 + 0.05 * (quick.written - 1))
    assert (slow.running, slow.closed) == (0, 1)


async def test_the_late_one_may_still_win() -> None:
    """A hedge does not end the first model: whoever comes first answers."""
    ring = Ring()
    late, slower = ring.model("7b", first_token_s=0.6), ring.model("3b", first_token_s=1.0)
    await ring.run(runner(late), runner(slower))
    assert ring.of(Won) == [Won(late, pytest.approx(0.6), hedged=False)]
    assert slower.running == 0


async def test_nothing_is_loaded_beside_a_running_model() -> None:
    """A model that is not loaded is not asked beside another: loading it might evict the one about to answer."""
    ring = Ring()
    slow, cold = ring.model("7b", first_token_s=1.5), ring.model("3b")
    await ring.run(runner(slow), runner(cold, ready=False))
    assert ring.of(Late) == [Late(hedged=False)]
    assert ring.of(Won) == [Won(slow, 1.5, hedged=False)]
    assert not cold.requests


async def test_what_failed_is_followed_by_the_next_loaded_or_not() -> None:
    """A failure makes room: the next model is asked at once."""
    ring = Ring()
    gone = ring.model("7b", scripts=[ModelError("missing", "7b: not installed")], first_token_s=0.01)
    cold = ring.model("3b")
    await ring.run(runner(gone), runner(cold, ready=False))
    assert ring.of(Won) == [Won(cold, pytest.approx(0.21), hedged=True)]


async def test_where_one_cannot_be_reached_the_others_are_not_tried() -> None:
    """A server that is off is off for all its models; one elsewhere is asked at once."""
    ring = Ring()
    off = [ring.model(name, scripts=[ModelError("unreachable", "it is off")], first_token_s=0.01) for name in "ab"]
    sky = ring.model("sky")
    await ring.run(*(Runner(m, 0.5, True, "here") for m in off), Runner(sky, 0.5, True, "cloud"))
    assert ring.of(Won) == [Won(sky, pytest.approx(0.21), hedged=True)]
    assert not off[1].requests


async def test_without_a_first_token_it_gives_up_at_the_hard_deadline() -> None:
    """Everybody stalls: it says so once the waiting is over, and leaves nothing running."""
    ring = Ring()
    first, second = ring.model("7b", stalls_after=0), ring.model("3b", stalls_after=0)
    with pytest.raises(NoAnswer) as none:
        await ring.run(runner(first), runner(second))
    assert ring.clock.now() == pytest.approx(BUDGET.give_up_at)
    assert len(none.value.reasons) == 2
    assert first.running == second.running == 0
    assert ring.of(Late) == [Late(hedged=True)]


async def test_late_is_said_once() -> None:
    """One filler is enough, however many models are late."""
    ring = Ring()
    models = [ring.model(name, stalls_after=0) for name in "abc"]
    with pytest.raises(NoAnswer):
        await ring.run(*(runner(m, 0.1) for m in models))
    assert len(ring.of(Late)) == 1
    assert all(m.requests for m in models)


async def test_a_winner_that_stalls_is_given_up() -> None:
    """Two pieces and then silence is no answer."""
    ring = Ring()
    model = ring.model("7b", stalls_after=2)
    with pytest.raises(NoAnswer) as none:
        await ring.run(runner(model))
    assert none.value.broke_off is model
    assert ring.clock.now() == pytest.approx(0.25 + STALL_S)
    assert model.running == 0


async def test_a_winner_that_never_ends_is_ended_with_the_turn() -> None:
    """Endless repetition ends at the turn's hard deadline."""
    ring = Ring()
    model = ring.model("7b", scripts=["ああ" * 10_000])
    with pytest.raises(NoAnswer, match="time is over"):
        await ring.run(runner(model))
    assert ring.clock.now() == pytest.approx(BUDGET.end_at, abs=0.06)
    assert model.running == 0


async def test_a_cut_stream_names_who_broke_off() -> None:
    """What came before the cut was handed on; that it is incomplete is told."""
    ring = Ring()
    model = ring.model("7b", breaks_after=3)
    with pytest.raises(NoAnswer) as none:
        await ring.run(runner(model), runner(ring.model("3b")))
    assert none.value.broke_off is model
    assert len(ring.of(Piece)) == 3
    assert ring.figures.faults("7b") == ["cut"]


async def test_no_model_at_all_is_no_answer() -> None:
    """Nobody to ask is said at once."""
    ring = Ring()
    with pytest.raises(NoAnswer, match="no model is configured"):
        await ring.run()
    assert ring.clock.now() == 0.0


async def test_an_empty_answer_is_an_answer() -> None:
    """A model that writes nothing is done, not late."""
    ring = Ring()
    await ring.run(runner(ring.model("7b", scripts=[""])))
    assert [type(e) for e in ring.events] == [Won, Done]


async def test_leaving_early_ends_the_generation() -> None:
    """Whoever leaves the race takes everything with it."""
    ring = Ring()
    model = ring.model("7b", scripts=["あ" * 1000])
    async with aclosing(ring.race.run(REQUEST, [runner(model)], BUDGET)) as events:
        async for event in events:
            if isinstance(event, Piece):
                break
    assert model.running == 0
    assert model.written < 5


async def test_cancelling_the_reader_ends_all_generations() -> None:
    """A cancelled turn leaves nobody writing, also while two are asked."""
    ring = Ring()
    first, second = ring.model("7b", stalls_after=0), ring.model("3b", stalls_after=0)
    asking = asyncio.create_task(ring.run(runner(first), runner(second)))
    async with asyncio.timeout(20):
        while not second.requests:  # noqa: ASYNC110 - virtual time passes only while the loop turns
            await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert first.running == second.running == 0


async def test_a_fault_of_the_program_is_not_swallowed_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that no ChatModel may raise is logged with its trace, and the next model answers."""
    ring = Ring()

    def broken(_request: ChatRequest) -> str:
        raise RuntimeError("a bug")

    odd, good = ring.model("7b", scripts=[broken]), ring.model("3b")
    await ring.run(runner(odd), runner(good))
    assert ring.text == good.scripts[0]
    assert "a bug" in caplog.text
