"""One thread for a library that may block."""

import asyncio
import threading

import pytest

from claudiad.audio.worker import Worker
from claudiad.errors import DeviceError


async def test_results_and_errors_come_back_and_all_calls_share_one_thread() -> None:
    """In order, on one daemon thread that is not the loop's."""
    worker = Worker("test")
    first, second = await asyncio.gather(*(worker.run(threading.current_thread, 5) for _ in range(2)))
    assert first is second is not threading.main_thread()
    assert first.daemon
    with pytest.raises(KeyError, match="mine"):
        await worker.run(lambda: {}["mine"], 5)


async def test_a_call_that_hangs_ends_the_wait_and_then_refuses_at_once() -> None:
    """The loop is not held; what was asked for meanwhile is done in order when the hang is over."""
    worker, hang, done = Worker("test"), threading.Event(), []
    try:
        for _ in range(2):
            with pytest.raises(DeviceError, match=r"not answered for 0\.01 s"):
                await worker.run(hang.wait, 0.01)
        assert worker.busy
        worker.post(lambda: done.append(1))
        assert done == []
    finally:
        hang.set()
    assert await worker.run(lambda: len(done), 5) == 1


async def test_an_abandoned_call_still_runs() -> None:
    """Cancelling the waiter does not lose a close that was asked for."""
    worker, hang, done = Worker("test"), threading.Event(), []
    worker.post(hang.wait)
    waiter = asyncio.create_task(worker.run(lambda: done.append(1), 5))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    hang.set()
    await worker.run(lambda: None, 5)
    assert done == [1]


def test_settling_waits_for_what_was_asked_for_and_not_for_ever() -> None:
    """Nothing under way: at once, without a thread; a call that hangs: False; when it has returned: True."""
    assert Worker("unused").settle(5)
    worker, hang, done = Worker("test"), threading.Event(), []
    worker.post(hang.wait)
    worker.post(lambda: done.append(1))
    try:
        assert not worker.settle(0.01)
        assert done == []
    finally:
        hang.set()
    assert worker.settle(5)
    assert done == [1]
