"""One answer with its times, and deadlines on a given clock."""

from __future__ import annotations

import asyncio

import pytest

from claudiad.clock import JumpClock
from claudiad.errors import ModelError
from claudiad.llm.measured import measure, within
from tests.fakes.chat import ScriptedModel
from tests.llm.ollama_rig import ask

ANSWER = '{"a":[],"r":"はい。"}'


async def test_an_answer_is_measured_from_asking() -> None:
    """First token and end, on the clock it is given."""
    clock = JumpClock()
    model = ScriptedModel("m", clock, (ANSWER,), first_token_s=0.3, token_s=0.1, piece=8)
    got = await measure(model, ask(), clock, 30.0)
    assert (got.text, got.fault) == (ANSWER, "")
    assert got.first_token_ms == pytest.approx(300)
    assert got.total_ms == pytest.approx(500)
    assert got.done is not None


@pytest.mark.parametrize(
    ("stalls_after", "fault", "first_ms"),
    [(0, "m: no first token in 5 s", None), (2, "m: not done in 5 s", pytest.approx(200))],
)
async def test_an_answer_that_stalls_is_given_up(stalls_after: int, fault: str, first_ms: float | None) -> None:
    """At the deadline, with what there is of it, and nothing left running."""
    clock = JumpClock()
    model = ScriptedModel("m", clock, (ANSWER,), stalls_after=stalls_after)
    got = await measure(model, ask(), clock, 5.0)
    assert (got.fault, got.first_token_ms) == (fault, first_ms)
    assert got.total_ms == pytest.approx(5000)
    assert ANSWER.startswith(got.text)
    assert model.running == 0


async def test_a_model_that_fails_is_no_error() -> None:
    """Its reason is in the result, with what it had written."""
    clock = JumpClock()
    broken = ScriptedModel("m", clock, (ANSWER,), breaks_after=2)
    assert (await measure(broken, ask(), clock, 5.0)).text == ANSWER[:4]
    missing = ScriptedModel("m", clock, (ModelError("missing", "m: not installed"),))
    assert (await measure(missing, ask(), clock, 5.0)).fault == "m: not installed"


async def test_work_has_ended_when_its_time_is_over() -> None:
    """It was cancelled, and has cleaned up."""
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await within(work(), JumpClock(), 1.0)
    assert ended.is_set()
