"""The clocks that jump."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.clock import JumpClock, SystemClock, TailClock


async def test_sleep_moves_time_to_the_deadline() -> None:
    """Sleeping takes as long on the clock as it says."""
    clock = JumpClock(10.0)
    await clock.sleep(2.5)
    assert clock.now() == 12.5


async def test_negative_sleep_moves_nothing() -> None:
    """A deadline in the past is now."""
    clock = JumpClock(10.0)
    await clock.sleep(-5.0)
    assert clock.now() == 10.0


async def test_system_clock_advances_by_what_was_slept() -> None:
    """The machine's clock does not go back over a sleep."""
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.0)
    assert clock.now() >= before


async def _steps(clock: JumpClock, name: str, waits: list[float], seen: list[tuple[float, str]]) -> None:
    for wait in waits:
        await clock.sleep(wait)
        seen.append((clock.now(), name))


@given(st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=6), min_size=1, max_size=5))
def test_tasks_interleave_as_in_real_time(plans: list[list[int]]) -> None:
    """Each task is woken at the sum of its own waits, however many sleep beside it, and time never goes back."""

    async def run() -> list[tuple[float, str]]:
        clock = JumpClock()
        seen: list[tuple[float, str]] = []
        async with asyncio.TaskGroup() as group:
            for number, waits in enumerate(plans):
                group.create_task(_steps(clock, str(number), [float(wait) for wait in waits], seen))
        return seen

    seen = asyncio.run(run())
    assert [t for t, _ in seen] == sorted(t for t, _ in seen)
    for number, waits in enumerate(plans):
        assert [t for t, name in seen if name == str(number)] == [sum(waits[: i + 1]) for i in range(len(waits))]


async def test_a_wake_up_that_travels_through_tasks_is_not_overtaken() -> None:
    """A woken task that needs several passes of the loop before it sleeps again is not overtaken by a later sleeper."""
    clock = JumpClock()
    seen: list[float] = []

    async def relay(depth: int) -> None:
        if depth:
            await asyncio.create_task(relay(depth - 1))
        else:
            await clock.sleep(0.5)

    async def slow() -> None:
        await clock.sleep(1.0)
        await relay(6)
        seen.append(clock.now())

    async def other(seconds: float) -> None:
        await clock.sleep(seconds)

    await asyncio.gather(slow(), other(3.0), other(2.0))
    assert seen == [1.5]


async def test_a_cancelled_sleeper_moves_nothing() -> None:
    """Time does not stop at the deadline of a sleep that was cancelled, nor go on to it afterwards."""
    clock = JumpClock()
    sleeper = asyncio.create_task(clock.sleep(100.0))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.wait({sleeper})
    await clock.sleep(1.0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert clock.now() == 1.0


def test_a_loop_that_ended_leaves_no_sleepers_behind() -> None:
    """A clock whose event loop ended in mid-sleep works in the next loop."""
    clock = JumpClock()

    async def abandoned() -> None:
        asyncio.get_running_loop().create_task(clock.sleep(50.0))
        await asyncio.sleep(0)

    asyncio.run(abandoned())

    async def fresh() -> float:
        await clock.sleep(1.0)
        return clock.now()

    assert asyncio.run(fresh()) == 1.0


async def test_a_released_tail_clock_waits_for_nobody() -> None:
    """After release a wait of hours is over at once, and the clock stands where it would have ended."""
    clock = TailClock()
    clock.release()
    began = clock.now()
    await clock.sleep(7200.0)
    assert clock.now() == pytest.approx(began + 7200.0)


async def test_waits_begun_before_the_release_end_in_order_of_their_deadlines() -> None:
    """Sleepers that were waiting in real time are released in the order in which they would have woken."""
    clock = TailClock()
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleeper("late", 3600.0)), asyncio.create_task(sleeper("soon", 1800.0))]
    await asyncio.sleep(0)
    assert not woken
    clock.release()
    await asyncio.gather(*tasks)
    assert woken == ["soon", "late"]


async def test_before_the_release_a_tail_clock_is_the_system_clock() -> None:
    """A wait of no length returns by itself, and time goes on as the machine's does."""
    clock, system = TailClock(), SystemClock()
    before = system.now()
    await clock.sleep(0.0)
    assert before <= clock.now() <= system.now()
