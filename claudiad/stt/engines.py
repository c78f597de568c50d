"""Which recogniser a model name means."""

from __future__ import annotations

from claudiad.config import SttSettings
from claudiad.stt.base import Recogniser
from claudiad.stt.embedded import EmbeddedRecogniser, has_head
from claudiad.stt.whisper import WhisperRecogniser


def open_recogniser(settings: SttSettings, model: str) -> Recogniser:
    """Load `model` (setting `stt.model` or `stt.stop_model`). Raises EngineMissing with what to do."""
    # The embedded model without its head would still hear, but no longer know what it does not know.
    if model == "embedded" or has_head(model):
        return EmbeddedRecogniser(settings, model)
    return WhisperRecogniser(settings, model)
