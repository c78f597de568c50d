"""A command that is told to end ends as by Ctrl-C, with what it has to do last."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from claudiad.app import signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_after_its_cleaning_up(number: signal.Signals) -> None:
    """What stops the robot runs before the interrupt is raised."""
    done: list[str] = []

    async def moving() -> None:
        os.kill(os.getpid(), number)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            done.append("stopped")

    with pytest.raises(KeyboardInterrupt):
        signals.run(moving())
    assert done == ["stopped"]


def test_what_ends_by_itself_gives_its_result() -> None:
    """Nothing else changes."""

    async def two() -> int:
        return 2

    assert signals.run(two()) == 2
