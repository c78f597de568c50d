"""Piper voices (any ``.onnx`` with its ``.onnx.json``) through piper-tts."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from claudiad.errors import ClaudiaError, EngineMissing
from claudiad.types import Pcm

log = logging.getLogger(__name__)


class PiperVoiceEngine:
    """One Piper voice on the CPU: for a short sentence that is quicker than CUDA (docs/facts.md).

    `path` is the ``.onnx`` file; ``path + ".json"`` must lie beside it. `rate` is the speaking rate, 1 = the voice's
    own. Constructing it loads the model and speaks a first sound, so that the first clause is not the slow one.
    Raises `EngineMissing` when a file is missing, damaged or of a kind this piper-tts does not know.
    """

    def __init__(self, path: Path, rate: float) -> None:
        config = Path(f"{path}.json")
        for needed in (path, config):
            if not needed.is_file():
                raise EngineMissing(f"{needed} is not there: `claudiad voices fetch {path.stem}`, or correct tts.voice")
        try:
            from piper import PiperVoice, SynthesisConfig
        except ImportError as fault:
            raise EngineMissing(f"piper-tts cannot be used ({fault}): install piper-tts[ja]") from fault
        try:
            self._voice = PiperVoice.load(path, config_path=config)
            own_scale = float(self._voice.config.length_scale)
            self._synthesis = SynthesisConfig(length_scale=own_scale / rate)
            self.name = f"piper {path.stem}"
            self.sample_rate = int(self._voice.config.sample_rate)
            self.synthesise("あ")
        except Exception as fault:
            # piper, json and onnxruntime each raise their own; all mean that these two files do not make a voice.
            raise EngineMissing(
                f"piper cannot use the voice {path} ({_one_line(fault)}): fetch it again, or choose another tts.voice"
            ) from fault
        if self._voice.config.phoneme_type.value != "japanese":
            log.warning("%s speaks %s, not Japanese", self.name, self._voice.config.espeak_voice)

    def synthesise(self, clause: str) -> Pcm:
        """One clause: int16, shape (n,), peak at full scale. Raises `ClaudiaError` when piper cannot speak it."""
        try:
            chunks = [chunk.audio_int16_array for chunk in self._voice.synthesize(clause, self._synthesis)]
        except Exception as fault:
            raise ClaudiaError(f"piper cannot speak {clause!r}: {_one_line(fault)}") from fault
        if sum(chunk.size for chunk in chunks) == 0:
            raise ClaudiaError(f"piper finds nothing to pronounce in {clause!r}")
        return np.concatenate(chunks).astype(np.int16, copy=False).reshape(-1)


def _one_line(fault: Exception) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
