"""What is said in the measurement of the loop: a fixed list, each in another pitch and speed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from claudiad.audio.resample import convert
from claudiad.types import SAMPLE_RATE, Pcm

COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("お座り", ("Sit",)),
    ("立って", ("StandUp",)),
    ("踊って", ("Dance1",)),
    ("挨拶して", ("Hello",)),
    ("伏せ", ("StandDown",)),
    ("伸びをしてください", ("Stretch",)),
    ("クラウディアお座り", ("Sit",)),
    ("立って挨拶して", ("StandUp", "Hello")),
    ("一メートル前に進んで", ("move",)),
    ("座ってください", ("Sit",)),
    ("右に九十度回って", ("move",)),
    ("ちょっと踊ってみて", ("Dance1",)),
    ("座ってから挨拶して", ("Sit", "Hello")),
    ("ハートを作って", ("Heart",)),
    ("後ろに下がって", ("move",)),
    ("起立", ("StandUp",)),
)
STOPS = ("止まって", "ストップ", "やめて", "止まれ")
STOP_EVERY = 8
"""Every eighth turn is a stop, said while the robot dances."""
PITCHES = (0.0, 2.0, -3.0, 4.0, -1.5, 1.0, -4.0)
"""Half-tones."""
SPEEDS = (1.0, 0.9, 1.15, 0.85, 1.2)
# Seven pitches, five speeds and sixteen commands have no common divisor: 560 turns until one comes again.
_BLOCK = SAMPLE_RATE // 100
PEAK = 9000.0
"""Someone two metres away, as in the demo."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing to say."""

    text: str
    actions: tuple[str, ...]
    """What must come of it, in order."""
    half_tones: float
    speed: float
    stop: bool = False


def sentences() -> Iterator[Sentence]:
    """The list, without end; the same every time."""
    said = stopped = 0
    for number in count(1):
        half_tones, speed = PITCHES[number % len(PITCHES)], SPEEDS[number % len(SPEEDS)]
        if number % STOP_EVERY == 0:
            yield Sentence(STOPS[stopped % len(STOPS)], ("stop",), half_tones, speed, stop=True)
            stopped += 1
        else:
            text, actions = COMMANDS[said % len(COMMANDS)]
            yield Sentence(text, actions, half_tones, speed)
            said += 1


def speak(sentence: Sentence) -> Pcm:
    """16 kHz speech by Open JTalk."""
    import pyopenjtalk

    wave, rate = pyopenjtalk.tts(sentence.text, speed=sentence.speed, half_tone=sentence.half_tones)
    return convert((wave / np.abs(wave).max() * PEAK).astype(np.int16), rate)


def voice_end(pcm: Pcm) -> int:
    """Sample at which the voice in clean speech ends, by level: within 30 dB of the loudest 10 ms.

    Knows nothing of the endpointer, whose opinion it is there to be compared with.
    """
    return int(_loud(pcm)[-1] + 1) * _BLOCK


def voice_start(pcm: Pcm) -> int:
    """Sample at which the voice in clean speech begins, by the same level."""
    return int(_loud(pcm)[0]) * _BLOCK


def _loud(pcm: Pcm) -> NDArray[np.intp]:
    """Indices of the 10 ms blocks within 30 dB of the loudest."""
    blocks = pcm[: len(pcm) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
    level = np.sqrt((blocks * blocks).mean(axis=1))
    return np.flatnonzero(level > level.max() * 10 ** (-30 / 20))
