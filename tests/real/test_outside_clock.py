"""The ledger against a clock it does not own: the simulated Go2, another process, writes down when each call came."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import pytest

from bench.sentences import Sentence, speak
from claudiad.app.conversation import Conversation
from claudiad.app.parts import assemble
from claudiad.audio.scripted import ScriptedMicrophone
from claudiad.audio.virtual import NullSpeaker
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.robot.go2.adapter import Go2Robot
from tests.fakes.witness import Witness
from tests.real.go2_rig import until
from tests.real.go2sim_process import Go2Sim

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

SAID = ("挨拶して", "座って", "立って", "ハートを作って", "伸びをして")
APART_MS = 10.0


async def test_the_ledger_agrees_with_what_the_robot_saw(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Spoken commands, recognised and sent over DDS: the ledger's dispatch and the robot's own time of the call."""
    witness, clock = Witness(monkeypatch), SystemClock()
    with Go2Sim() as sim:
        robot = Go2Robot(clock, "lo", sim.domain, photos=tmp_path / "photos", kept=tmp_path / "kept")
        microphone = ScriptedMicrophone(clock, "real", noise_dbfs=-62.0)
        settings = Settings().without_models()
        async with assemble(settings, clock, robot=robot, speaker=NullSpeaker(clock), keep=False) as parts:
            await until(lambda: robot.state().age_ms < 300, "a state that is not old")
            conversation = Conversation(parts, microphone)
            listening = asyncio.create_task(conversation.run())
            apart = []
            for text in SAID:
                seen = len(sim.calls())
                pcm = await asyncio.to_thread(speak, Sentence(text, (), 0.0, 1.0))
                piece = microphone.speak(pcm)
                await until(lambda end=piece.end_sample: microphone.position > end, f"{text} was said")  # type: ignore[misc]
                await until(lambda: conversation.idle, f"{text} was done")
                dispatched = witness.at(witness.turns[-1], "speech_end_to_dispatch")
                assert dispatched is not None, f"{text} was not carried out: {witness.turns[-1].record()}"
                first = next(call for call in sim.calls()[seen:] if call["service"] == "sport")
                apart.append((first["t"] - dispatched) * 1000.0)
            microphone.close()
            await listening
    assert all(ms > -1.0 for ms in apart), f"a call before its dispatch: {apart}"
    assert statistics.median(apart) <= APART_MS, apart
    assert len(apart) == len(SAID)
