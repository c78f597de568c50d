"""The same utterances recognised twice: the encoder window cut to the utterance, and padded to Whisper's 30 s."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import Progress

from claudiad.config import SttSettings
from claudiad.stt.base import Recogniser
from claudiad.stt.engines import open_recogniser
from claudiad.types import Pcm

FULL_S = 30.0


@dataclass(frozen=True, slots=True)
class Windows:
    """Milliseconds per utterance, pairwise."""

    short_ms: tuple[float, ...]
    full_ms: tuple[float, ...]
    same_text: int
    """How often both gave the same text."""


def compare(settings: SttSettings, utterances: Sequence[Pcm], progress: Progress) -> Windows:
    """Recognise each utterance in both windows, one right after the other, so that both meet the same machine."""
    short = open_recogniser(settings, settings.model)
    full = open_recogniser(settings.model_copy(update={"window_s": FULL_S}), settings.model)
    for each in (short, full):
        each.recognise(utterances[0])
    pairs = [
        (_timed(short, pcm), _timed(full, pcm))
        for pcm in progress.track(utterances, description="short window and 30 s …")
    ]
    return Windows(
        tuple(a for (a, _), _ in pairs),
        tuple(b for _, (b, _) in pairs),
        sum(one == other for (_, one), (_, other) in pairs),
    )


def _timed(recogniser: Recogniser, pcm: Pcm) -> tuple[float, str]:
    began = time.perf_counter()
    text = recogniser.recognise(pcm).text
    return (time.perf_counter() - began) * 1000.0, text
