"""Recognition on worker threads."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from claudiad.app.ears import Ears
from claudiad.config import SttSettings
from claudiad.errors import EngineMissing
from tests.fakes.recogniser import FakeRecogniser


def threads() -> set[str]:
    return {t.name.rsplit("_", 1)[0] for t in threading.enumerate() if t.name.startswith("stt")}


async def test_one_model_is_one_recogniser_and_one_thread() -> None:
    """Without a stop model of its own the same recogniser and thread hear both, one call after the other."""
    fake = FakeRecogniser()
    sit = fake.says("座って")
    ears = Ears(fake)
    heard = await asyncio.gather(ears.hear(sit), ears.hear_stop(sit), ears.hear(sit))
    assert not ears.separate
    assert [one.transcript.text for one in heard] == ["座って"] * 3
    assert all(one.work_ms > 0 for one in heard)
    assert threads() == {"stt"}
    await ears.close()
    assert threads() == set()
    assert fake.broken == []


async def test_the_stop_listener_does_not_wait_for_the_large_model() -> None:
    """While one is stuck the other answers; closing waits for what is under way and drops what is queued."""
    large, small = FakeRecogniser(), FakeRecogniser()
    stop = small.says("止まって")
    ears = Ears(large, small)
    large.hold()
    slow = asyncio.create_task(ears.hear(stop))
    queued = asyncio.create_task(ears.hear(stop))
    assert (await ears.hear_stop(stop)).transcript.text == "止まって"
    assert not slow.done()
    closing = asyncio.create_task(ears.close())
    await asyncio.gather(queued, return_exceptions=True)
    assert queued.cancelled()
    assert not closing.done()
    large.gate.set()
    await asyncio.gather(slow, closing)
    assert threads() == set()
    assert large.broken == small.broken == []


async def test_warming_hears_once_with_each() -> None:
    """The first person does not pay for what a model sets up on its first call."""
    large, small = FakeRecogniser(), FakeRecogniser()
    ears = Ears(large, small)
    await ears.warm()
    await ears.close()
    assert (len(large.heard), len(small.heard)) == (1, 1)


async def test_a_fault_of_the_recogniser_reaches_the_caller() -> None:
    """It is raised where it is awaited, and the next call works."""
    fake = FakeRecogniser()
    bad, good = fake.says("", fault=RuntimeError("broken")), fake.says("はい")
    ears = Ears(fake)
    with pytest.raises(RuntimeError, match="broken"):
        await ears.hear(bad)
    assert (await ears.hear(good)).transcript.text == "はい"
    await ears.close()


def test_the_settings_name_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded model is loaded twice and hears alike; a stock one once; another stop model is loaded as well; a
    missing one is an error."""
    opened: list[tuple[str, int]] = []

    def open_one(given: SttSettings, model: str) -> FakeRecogniser:
        opened.append((model, given.threads))
        return FakeRecogniser(model)

    monkeypatch.setattr("claudiad.app.ears.open_recogniser", open_one)
    ears = Ears.open(SttSettings())
    assert ears.stop is not ears.main
    assert not ears.separate
    assert opened == [("embedded", 2), ("embedded", 1)]
    ears = Ears.open(SttSettings(model="small", stop_model="small"))
    assert ears.stop is ears.main
    assert not ears.separate
    ears = Ears.open(SttSettings(model="large-v3-turbo"))
    assert (ears.main.name, ears.stop.name, ears.separate) == ("large-v3-turbo", "embedded", True)
    monkeypatch.undo()
    with pytest.raises(EngineMissing, match="no folder"):
        Ears.open(SttSettings(model="/no/such"))


def test_the_fake_refuses_wrong_use() -> None:
    """The fake itself notices the loop's thread and samples that no microphone delivers."""
    fake = FakeRecogniser()
    fake.recognise(np.zeros(10, np.float32))  # type: ignore[arg-type]
    assert fake.broken == ["called on the event loop's thread", "given float32 of shape (10,)"]
