"""The microphone and the speaker that the settings name."""

from __future__ import annotations

from claudiad.audio.device import DeviceMicrophone
from claudiad.audio.device_out import DeviceSpeaker
from claudiad.audio.microphone import LiveMicrophone
from claudiad.audio.speaker import Speaker
from claudiad.audio.virtual import NullMicrophone, NullSpeaker
from claudiad.clock import Clock
from claudiad.config import AudioSettings


def microphone_for(settings: AudioSettings, clock: Clock) -> LiveMicrophone:
    """A device, or for `none` one that hears nothing."""
    return NullMicrophone() if settings.microphone == "none" else DeviceMicrophone(settings, clock)


def speaker_for(settings: AudioSettings, clock: Clock) -> Speaker:
    """A device, or for `none` silence that takes its time."""
    return NullSpeaker(clock) if settings.speaker == "none" else DeviceSpeaker(settings, clock)
