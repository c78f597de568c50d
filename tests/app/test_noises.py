"""A cough, a laugh, a door during fifty answers, heard by the real recogniser: each answer is completed."""

from __future__ import annotations

import asyncio

import pytest

from claudiad.config import Settings
from claudiad.stt.engines import open_recogniser
from tests.app.room import room
from tests.audio.noises import cough, door, laugh

ANSWERS = 50
REPLY = "座る、立つ、伏せる、挨拶、ダンス、伸び、ハートができます。歩いたり回ったりもできます。"


async def test_no_noise_takes_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty times another cough, laugh or bang, somewhere in the reply: all of it is spoken, and nothing moves."""
    settings = Settings().stt
    hearing = open_recogniser(settings, settings.model)
    async with room(monkeypatch, hearing=hearing) as r:
        paused = 0
        for number in range(ANSWERS):
            made = (cough, laugh, door)[number % 3](number)
            speaking = asyncio.create_task(r.parts.mouth.say(REPLY))
            await r.until(lambda: r.speaker.playing)
            await r.clock.sleep(0.3 + 0.07 * number)
            start = r.microphone.speak(made)
            held = False
            while r.microphone.position < start.end_sample or not speaking.done():
                held |= r.parts.mouth.paused
                await r.clock.sleep(0.02)
            paused += held
            spoken = await speaking
            assert not spoken.interrupted, f"{number}: {r.records[-1:]}"
            assert "".join(spoken.spoken) == REPLY
            await r.until(lambda: r.conversation.idle)
        assert r.calls == []
        assert paused >= ANSWERS // 4, "the noises were too quiet to be a test"
        assert all(one.dropped for one in r.records)
