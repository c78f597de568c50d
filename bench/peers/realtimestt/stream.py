"""What every system is fed: commands and phrases with pauses inside, in a quiet room, the same samples every time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal

import numpy as np

from bench.paused import Paused, paused
from bench.paused import speak as speak_paused
from bench.sentences import sentences, speak, voice_end
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Kind = Literal["command", "phrase"]

LEAD_S = 2.0
"""Nothing but the room, first: adaptive noise floors find it."""
GAP_S = 2.0
"""Of silence after each: the most patient system is done with one before the next begins."""
ROOM_DBFS = -62.0
"""RMS of the white noise throughout, as in the measurement of the loop."""


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance, and where it lies in the stream. Positions are samples from its beginning."""

    kind: Kind
    """`command`: spoken in one breath. `phrase`: with pauses inside."""
    text: str
    start: int
    voice_end: int
    """True end of the voice in the clean speech, by level: nobody's endpointer was asked."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Everything that is said, in the order it is said."""

    samples: Pcm
    said: tuple[Said, ...]

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def spoken(commands: int, phrases: int, stretch: float = 1.0) -> Iterator[tuple[Kind, str, Pcm]]:
    """So many of each, in turns, so that a machine that changes its mind does so to both alike.

    `stretch`: the pauses inside the phrases last so many times as long.
    """
    plain = (s for s in sentences() if not s.stop)
    one: Iterator[tuple[Kind, str, Pcm]] = (("command", s.text, speak(s)) for s in islice(plain, commands))
    other: Iterator[tuple[Kind, str, Pcm]] = (
        ("phrase", "…".join(p.pieces), speak_paused(_stretched(p, stretch))) for p in islice(paused(), phrases)
    )
    for _ in range(max(commands, phrases)):
        yield from chain(islice(one, 1), islice(other, 1))


def lay_out(pieces: Iterable[tuple[Kind, str, Pcm]], noise_dbfs: float = ROOM_DBFS) -> Stream:
    """One after the other, `GAP_S` of silence behind each, whole frames, noise over all of it."""
    said: list[Said] = []
    parts: list[Pcm] = [_silence(LEAD_S)]
    at = len(parts[0])
    for kind, text, pcm in pieces:
        said.append(Said(kind, text, at, at + voice_end(pcm)))
        fill = -len(pcm) % FRAME_SAMPLES
        parts += [pcm, _silence(fill / SAMPLE_RATE), _silence(GAP_S)]
        at += sum(len(p) for p in parts[-3:])
    clean = np.concatenate(parts).astype(np.float64)
    room = np.random.default_rng(0).normal(0.0, 32768.0 * 10.0 ** (noise_dbfs / 20.0), len(clean))
    return Stream(np.clip(np.rint(clean + room), -32768, 32767).astype(np.int16), tuple(said))


def _stretched(one: Paused, stretch: float) -> Paused:
    return replace(one, pauses_ms=tuple(round(ms * stretch) for ms in one.pauses_ms))


def _silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)
