"""A thousand turns with random pauses and interruptions, in virtual time: what must hold whatever happens."""

from __future__ import annotations

import asyncio
import random

import pytest

from claudiad.types import Pcm, Posture
from tests.app.room import Room, room
from tests.audio.sounds import voice
from tests.fakes.witness import Witness

RUNS = 20
TURNS = 50
"""Of each run: a thousand in all."""

COMMANDS = ("座って", "立って", "踊って", "挨拶して", "伸びをして", "立って挨拶して")
TALK = ("ありがとう", "何ができますか", "今日は暑い", "おはよう", "お座りできる？")
OPEN = ("座ってから", "えーと", "右に九十度")
REST = ("はいけない", "いる人は誰", "ください", "じゃなくて座って", "はい", "うん")
STOPS = ("止まって", "ストップ", "緊急停止")


async def someone(r: Room, dice: random.Random) -> None:
    """One thing after the other: commands, talk, stops, coughs, any pauses, often while it moves or speaks."""
    known: dict[str, Pcm] = {}

    def says(text: str) -> Pcm:
        if text not in known:
            known[text] = r.says(text)
        return known[text]

    for _ in range(TURNS):
        kinds = ("command", "talk", "open", "rest", "stop", "cough", "click")
        kind = dice.choices(kinds, (30, 15, 10, 15, 15, 10, 5))[0]
        match kind:
            case "command":
                pcm = says(dice.choice(COMMANDS))
            case "talk":
                pcm = says(dice.choice(TALK))
            case "open":
                pcm = says(dice.choice(OPEN))
            case "rest":
                pcm = says(dice.choice(REST))
            case "stop":
                pcm = says(dice.choice(STOPS))
            case "cough":
                pcm = r.says("ムニャ", oov=dice.choice((0.99, 0.3)), dropped=dice.choice((None, "hallucination")))
            case _:
                pcm = voice(100, amplitude=12000)
        await r.play(pcm)
        await r.clock.sleep(dice.choice((0.1, 0.3, 0.5, 0.9, 1.3, 3.0)))
        if dice.random() < 0.1:
            r.parts.lane.reset()  # nobody says 解除 here


@pytest.mark.parametrize("seed", range(RUNS))
async def test_a_thousand_turns(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """No motion before its commit, none after its stop, no turn without an end, no task left, nothing left sounding."""
    dice = random.Random(seed)
    witness = Witness(monkeypatch)
    before = asyncio.all_tasks()
    async with room(monkeypatch, posture=dice.choice((Posture.STANDING, Posture.SITTING, Posture.LYING))) as r:
        await someone(r, dice)
        await r.until(lambda: r.conversation.idle)
        r.microphone.close()
        await r.running
        motions = [call for call in r.robot.calls if call.name != "stop"]
        assert motions, "nothing moved in fifty turns: nothing was tested"
        commits, stops = witness.commits, witness.stops
        for call in motions:
            committed = [at for at in commits if at <= call.t]
            assert committed, f"{call.name} before anything was committed"
            stopped = [at for at in stops if at <= call.t]
            if stopped:
                # A stop inside an utterance that ends as a command (止まって、座って) is none of `stops`.
                assert committed[-1] > stopped[-1], f"{call.name} after a stop, and nobody asked for it since"
        reported = sorted(one.turn for one in r.records)
        assert reported == list(range(1, r.conversation.turns + 1)), "a turn without an end, or with two"
        assert not [one for one in r.records if one.dropped == "internal error"]
        assert r.parts.dispatcher.running is None
        assert not r.parts.mouth.speaking
        assert not r.parts.mouth.paused
        assert not r.speaker.playing
        assert {t.get_name() for t in asyncio.all_tasks() - before} == set()
