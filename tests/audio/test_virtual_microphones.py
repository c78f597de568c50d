"""Recordings and scripts as microphones."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from claudiad.audio.level import level_dbfs
from claudiad.audio.recorded import WavMicrophone
from claudiad.audio.scripted import ScriptedMicrophone, Spoken
from claudiad.audio.virtual import NullMicrophone
from claudiad.audio.wav import write_wav
from claudiad.clock import JumpClock
from claudiad.errors import DataError
from claudiad.types import Frame
from tests.audio.sounds import silence, tone


async def _take(microphone: ScriptedMicrophone | WavMicrophone, count: int) -> list[Frame]:
    got: list[Frame] = []
    async with aclosing(microphone.frames()) as frames:
        async for frame in frames:
            got.append(frame)
            if len(got) == count:
                break
    return got


async def test_recordings_are_joined_with_silence_and_padded(tmp_path: Path) -> None:
    """Lead, first, tail, second, tail: every sample once, the last frame filled with zeros."""
    path = tmp_path / "a.wav"
    write_wav(path, tone(400, 30))
    microphone = WavMicrophone([path, tone(600, 50)], "fast", JumpClock(), lead_silence_ms=40, tail_silence_ms=10)
    frames = [frame async for frame in microphone.frames()]
    expected = np.concatenate([silence(40), tone(400, 30), silence(10), tone(600, 50), silence(10)])
    assert len(frames) == 7
    assert np.array_equal(np.concatenate([frame.pcm for frame in frames])[: len(expected)], expected)
    assert [frame.start_sample for frame in frames] == [index * 320 for index in range(7)]
    assert microphone.stats.state == "closed"
    assert microphone.stats.frames == 7


async def test_real_pace_delivers_each_frame_when_its_last_sample_has_sounded() -> None:
    """Frame k comes at (k + 1) × 20 ms, also after a listener that was slow once."""
    clock = JumpClock(100.0)
    times = []
    async for frame in WavMicrophone(silence(200), "real", clock, tail_silence_ms=0).frames():
        times.append((round(frame.captured_at - 100.0, 6), round(clock.now() - 100.0, 6)))
        if len(times) == 3:
            await clock.sleep(0.05)
    assert [captured for captured, _ in times] == [round(0.02 * (k + 1), 6) for k in range(10)]
    assert [now for _, now in times] == [0.02, 0.04, 0.06, 0.11, 0.11, 0.12, 0.14, 0.16, 0.18, 0.2]


async def test_fast_pace_takes_no_time_and_lets_others_run() -> None:
    """No clock moves, and another task gets its turn between two frames."""
    clock, others = JumpClock(), []

    async def other() -> None:
        while True:
            others.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    count = len([1 async for _ in WavMicrophone(silence(1000), "fast", clock, tail_silence_ms=0).frames()])
    task.cancel()
    assert count == 50
    assert clock.now() == 0.0
    assert len(others) >= 50


def test_a_bad_recording_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The file's fault is told when the microphone is made."""
    with pytest.raises(DataError, match=r"none\.wav"):
        WavMicrophone(tmp_path / "none.wav", "fast", JumpClock())


async def test_a_script_speaks_into_quiet_noise() -> None:
    """The piece lies where it was said to lie; everything else is noise at the level asked for."""
    microphone = ScriptedMicrophone(JumpClock(), "fast", noise_dbfs=-60.0)
    spoken = microphone.speak(tone(500, 100), at=1000)
    assert spoken == Spoken(1000, 2600)
    stream = np.concatenate([frame.pcm for frame in await _take(microphone, 50)])
    assert abs(level_dbfs(stream[4000:]) + 60) < 1
    assert level_dbfs(stream[1000:2600]) > -20
    assert abs(int(stream[:1000].max())) < 300
    assert microphone.spoken == (spoken,)


async def test_speech_without_a_time_begins_with_the_next_frame_and_never_in_the_past() -> None:
    """While the third frame is awaited, new speech lands in the fourth; a time gone by means the same."""
    microphone = ScriptedMicrophone(JumpClock(), "real")
    async with aclosing(microphone.frames()) as frames:
        for _ in range(3):
            await anext(frames)
        assert microphone.speak(tone(500, 20)).start_sample == 960
        assert microphone.speak(tone(500, 20), at=10).start_sample == 960
        loud = await anext(frames)
    assert level_dbfs(loud.pcm) > -12


async def test_loud_pieces_are_clipped_and_not_wrapped() -> None:
    """Two full-scale pieces at one place stay at full scale."""
    microphone = ScriptedMicrophone(JumpClock(), "fast", noise_dbfs=-90)
    for _ in range(2):
        microphone.speak(np.full(320, 30_000, np.int16), at=0)
    assert set((await _take(microphone, 1))[0].pcm.tolist()) == {32767}


async def test_the_time_of_a_sample_is_its_frames_time() -> None:
    """What a bench calls the end of speech agrees with the frames' own times, on a second opening too."""
    clock = JumpClock(5.0)
    microphone = ScriptedMicrophone(clock, "real")
    with pytest.raises(RuntimeError, match="not begun"):
        microphone.time_of(0)
    for _ in range(2):
        await clock.sleep(1.0)
        for frame in await _take(microphone, 4):
            assert microphone.time_of(frame.start_sample + 320) == pytest.approx(frame.captured_at)
    assert microphone.position == 8 * 320


async def test_the_same_seed_gives_the_same_room_and_close_ends_it() -> None:
    """Runs can be repeated; after close the stream ends by itself."""
    one, other = (ScriptedMicrophone(JumpClock(), "fast", seed=4) for _ in range(2))
    for first, second in zip(await _take(one, 5), await _take(other, 5), strict=True):
        assert np.array_equal(first.pcm, second.pcm)
    one.close()
    assert [frame async for frame in one.frames()] == []
    assert one.stats.state == "closed"


async def test_no_microphone_hears_nothing_until_it_is_closed() -> None:
    """`none` neither ends nor delivers; cancelling its listener closes it."""
    microphone = NullMicrophone()
    listener = asyncio.create_task(anext(microphone.frames()))
    await asyncio.sleep(0)
    assert microphone.stats.state == "open"
    listener.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listener
    assert microphone.stats.state == "closed"
