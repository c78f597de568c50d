"""Any faster-whisper model: greedy, Japanese, the encoder window cut to the utterance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from claudiad.config import SttSettings
from claudiad.stt import hallucination
from claudiad.stt.level import speech_level
from claudiad.stt.load import open_model
from claudiad.stt.window import STOCK_FLOOR_S, features
from claudiad.types import Pcm, Transcript

WEAK_LOG_P = -0.9
"""Mean log-probability under which a known hallucination is believed to be one."""


class WhisperRecogniser:
    """Stock Whisper checkpoints (tiny … large-v3, kotoba-whisper) through faster-whisper."""

    def __init__(self, settings: SttSettings, model: str) -> None:
        """Load `model`; raises EngineMissing when it is not here or broken."""
        self.name = model
        self._floor_s = settings.window_s or STOCK_FLOOR_S
        self._min_level = settings.min_level_dbfs
        self._model: Any = open_model(
            model, threads=settings.threads, device=settings.device, compute_type=settings.compute_type
        )
        tok = self._model.hf_tokenizer
        words = ["<|startoftranscript|>"]
        if self._model.model.is_multilingual:
            words += ["<|ja|>", "<|transcribe|>"]
        self._prompt = [tok.token_to_id(w) for w in [*words, "<|notimestamps|>"]]

    def recognise(self, pcm: Pcm) -> Transcript:
        """See `Recogniser.recognise`."""
        if speech_level(pcm) < self._min_level:
            return Transcript("", "", 0.0, 1.0, "too quiet")
        from ctranslate2 import StorageView

        view = StorageView.from_array(features(self._model.feature_extractor, pcm, self._floor_s))
        longest = min(224, 12 + round(len(pcm) / 16_000 * 14))  # Japanese stays under 14 tokens a second
        result = self._model.model.generate(
            view,
            [self._prompt],
            beam_size=1,
            max_length=longest,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        ids = result.sequences_ids[0]
        text = self._model.hf_tokenizer.decode(ids, skip_special_tokens=True).strip()
        log_p = result.scores[0] * len(ids) / (len(ids) + 1) if ids else -10.0  # the mean over no token is NaN
        silent = float(result.no_speech_prob)
        dropped = None
        if not text or (silent > 0.6 and log_p < -1.0):
            dropped = "silence"
        elif hallucination.is_loop(text) or (hallucination.is_known(text) and (silent > 0.3 or log_p < WEAK_LOG_P)):
            dropped = "hallucination"
        confidence = float(np.clip(math.exp(log_p), 0.0, 1.0))
        return Transcript(text, "", confidence, float(np.clip(silent, 0.0, 1.0)), dropped)
