"""Whisper features for just the utterance, not for 30 s.

`WhisperModel.transcribe` pads everything to 30 s, which costs a short command ten times its own work.
The encoder takes any even number of frames, so the features stop where the utterance does, unless the
model was seen to need more: stock checkpoints never saw short input and break near 5 s, 10 s is sound
(docs/facts.md; `bench/loop.py` shows both side by side).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claudiad.types import SAMPLE_RATE, Pcm

Features = NDArray[np.float32]

STOCK_FLOOR_S = 10.0
"""Shortest window at which stock Whisper checkpoints were reported sound."""
SHORTEST_S = 0.64
"""Less audio than this is padded: two convolutions and a DFT need something to work on."""


def features(extractor: Any, pcm: Pcm, floor_s: float) -> Features:
    """Log-mel features (1, mels, frames), frames even, covering at least `floor_s` seconds.

    The padding is the quietest value present, which is what digital silence after the utterance gives.
    """
    samples = pcm.astype(np.float32) / 32768.0
    short = int(SHORTEST_S * SAMPLE_RATE) - len(samples)
    if short > 0:
        samples = np.pad(samples, (0, short))
    mel: Features = np.asarray(extractor(samples), dtype=np.float32)
    want = max(mel.shape[1], round(floor_s * SAMPLE_RATE / extractor.hop_length))
    want += want % 2
    if want > mel.shape[1]:
        mel = np.pad(mel, ((0, 0), (0, want - mel.shape[1])), constant_values=float(mel.min()))
    return np.ascontiguousarray(mel[None])
