"""From settings to a voice."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from claudiad.config import TtsSettings
from claudiad.errors import EngineMissing
from claudiad.tts.base import Voice
from claudiad.tts.installed import default_voice, resolve_voice
from claudiad.tts.openjtalk import OpenJTalkVoice
from claudiad.tts.piper import PiperVoiceEngine
from claudiad.types import SAMPLE_RATE, Pcm

log = logging.getLogger(__name__)


class NoVoice:
    """Engine `none`: every clause is no sound."""

    name = "none"
    sample_rate = SAMPLE_RATE

    def synthesise(self, clause: str) -> Pcm:
        return np.zeros(0, np.int16)


def open_voice(settings: TtsSettings, folders: Sequence[Path] | None = None) -> Voice:
    """Load the voice that the settings name; blocks for about a second. `folders` replaces the usual voice folders.

    `auto` takes the named or first installed Japanese Piper voice, else Open JTalk: also, with a warning, when that
    Piper voice turns out to be damaged, because a robot that says nothing is worse than one with another voice. The
    project's test voice is never chosen unless it is named. Raises `EngineMissing` when an engine was asked for by
    name and cannot be had.
    """
    match settings.engine:
        case "none":
            return NoVoice()
        case "openjtalk":
            return OpenJTalkVoice(settings.rate)
        case "piper":
            return PiperVoiceEngine(resolve_voice(settings.voice, folders), settings.rate)
        case "auto":
            return _best(settings, folders)


def _best(settings: TtsSettings, folders: Sequence[Path] | None) -> Voice:
    if settings.voice:
        return PiperVoiceEngine(resolve_voice(settings.voice, folders), settings.rate)
    installed = default_voice(folders)
    if installed is not None:
        try:
            return PiperVoiceEngine(installed.path, settings.rate)
        except EngineMissing as fault:
            log.warning("speaking with Open JTalk instead: %s", fault)
    return OpenJTalkVoice(settings.rate)
