"""The embedded model: kana as pronounced, and an out-of-vocabulary score for every utterance."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from claudiad.config import SttSettings
from claudiad.errors import EngineMissing
from claudiad.stt import evidence, hallucination
from claudiad.stt.head import CALIBRATION, HEAD, load_head
from claudiad.stt.level import speech_level
from claudiad.stt.load import model_folder, open_model
from claudiad.stt.window import features
from claudiad.types import SAMPLE_RATE, Pcm, Transcript

__all__ = ["CALIBRATION", "EmbeddedRecogniser", "has_head"]

BEAM = 5
"""Hypotheses of the decoder that the CTC head chooses from. The decoder alone is a fluent liar: on held-out phrasings
the best of five by both judges was exactly right in 83 % where the greedy one was in 67 %, for 10 ms more."""
LOST_GAP = 1.2
"""Nats per character: the best hypothesis says something else than the sound does, because attention lost its place.
Then the CTC head's own reading is taken: rougher, but it cannot make anything up."""


def has_head(model: str) -> bool:
    """True when `model` is a folder with a CTC head beside the Whisper files: made by training/stt."""
    folder = model_folder(model)
    return isinstance(folder, Path) and (folder / HEAD).is_file()


class EmbeddedRecogniser:
    """A model of training/stt: Whisper format, kana vocabulary, CTC head."""

    def __init__(self, settings: SttSettings, model: str = "embedded") -> None:
        """Load it; raises EngineMissing when files are missing or broken."""
        self.name = model
        self._floor_s = settings.window_s
        self._min_level = settings.min_level_dbfs
        folder = Path(model_folder(model))
        head = load_head(folder)
        self._weight, self._bias, self._characters = head.weight, head.bias, head.characters
        self._calibration = head.calibration
        self._model: Any = open_model(
            model, threads=settings.threads, device=settings.device, compute_type=settings.compute_type
        )
        tok = self._model.hf_tokenizer
        self._prompt = [tok.token_to_id(t) for t in ("<|startoftranscript|>", "<|notimestamps|>")]
        # CTC class k+1 is character k; the decoder's ids may be ordered otherwise.
        self._class_of = {tok.token_to_id(c): i + 1 for i, c in enumerate(self._characters)}
        if None in self._class_of or None in self._prompt:
            raise EngineMissing(
                f"stt.model: {folder}: tokenizer.json and {HEAD} are not of the same model; restore both"
            )

    def hear(self, pcm: Pcm) -> tuple[str, evidence.Evidence]:
        """Kana and the evidence for it, before any judgement; blocking."""
        from ctranslate2 import StorageView

        mel = features(self._model.feature_extractor, pcm, self._floor_s)
        memory = self._model.model.encode(StorageView.from_array(mel), to_cpu=True)
        seconds = len(pcm) / SAMPLE_RATE
        result = self._model.model.generate(
            memory,
            [self._prompt],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            length_penalty=0.0,  # scores are sums, as the CTC's are
            max_length=min(150, 8 + round(seconds * 16)),  # 12 kana a second is fast speech
            return_scores=True,
        )[0]
        log_p = evidence.log_softmax(np.asarray(memory)[0].astype(np.float32) @ self._weight + self._bias)
        best = max(
            (
                evidence.weigh(log_p, self._labels(ids), score, seconds)
                for ids, score in zip(result.sequences_ids, result.scores, strict=True)
            ),
            key=lambda e: e.joint,
        )
        if best.gap > LOST_GAP:
            best = evidence.without_decoder(log_p, seconds)
        return "".join(self._characters[k - 1] for k in best.labels), best

    def _labels(self, ids: list[int]) -> list[int]:
        return [self._class_of[i] for i in ids if i in self._class_of]

    def out_of_vocabulary(self, e: evidence.Evidence) -> float:
        """0..1 from a logistic regression fitted by training/stt/calibrate.py on speech it never trained on."""
        c = self._calibration
        z = (
            c["bias"]
            + c["decoder_log_p"] * e.decoder_log_p
            + c["gap"] * e.gap
            + c["sharpness"] * e.sharpness
            + c["rate"] * e.rate
        )
        return 1.0 / (1.0 + math.exp(-max(-40.0, min(40.0, z))))

    def recognise(self, pcm: Pcm) -> Transcript:
        """See `Recogniser.recognise`."""
        if speech_level(pcm) < self._min_level:
            return Transcript("", "", 0.0, 1.0, "too quiet")
        kana, found = self.hear(pcm)
        if not kana:
            return Transcript("", "", 0.0, 1.0, "silence")
        oov = self.out_of_vocabulary(found)
        dropped = "hallucination" if hallucination.is_loop(kana) else None
        confidence = float(np.clip(math.exp(found.decoder_log_p), 0.0, 1.0))
        return Transcript(kana, kana, confidence, oov, dropped)
