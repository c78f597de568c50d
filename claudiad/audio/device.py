"""A capture device as a microphone: found by name, watched, reopened."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from claudiad.audio.capture import Capture
from claudiad.audio.host import Opened, SoundHost
from claudiad.audio.microphone import CaptureStats
from claudiad.clock import Clock
from claudiad.config import AudioSettings
from claudiad.errors import DeviceError
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm

log = logging.getLogger(__name__)

ZEROS_S = 5.0
"""Only zeros for this long are no quiet room: every real converter has noise."""


class DeviceMicrophone:
    """Frames from a sound device, for as long as somebody listens, whatever the device does."""

    def __init__(self, settings: AudioSettings, clock: Clock, host: SoundHost | None = None) -> None:
        """Args: `host` is PortAudio when None."""
        self._settings = settings
        self._clock = clock
        self._given_host = host
        self._stats = CaptureStats(device=settings.microphone)
        self._overflow_before = 0
        self._zeros = 0
        self._closely = True
        self._capture: Capture | None = None

    @property
    def stats(self) -> CaptureStats:
        return self._stats

    def attend(self, *, closely: bool) -> None:
        """See `LiveMicrophone`."""
        self._closely = closely
        if self._capture is not None:
            self._capture.attend(closely=closely)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """See `Microphone`. What was in the air while the device was away is not counted as samples."""
        position = 0
        pause = False
        try:
            while True:
                capture, opened = await self._open(pause=pause)
                try:
                    async with aclosing(capture.pieces()) as pieces:
                        async for pcm, at in pieces:
                            self._note(pcm, at, self._overflow_before + capture.overflow_samples)
                            yield Frame(pcm, position, at)
                            position += FRAME_SAMPLES
                finally:
                    self._overflow_before += capture.overflow_samples
                    await self._host.close(opened)
                self._stats.state = "lost"
                log.warning("microphone %s is lost: %s; it is being reopened", opened.device, capture.reason)
                # One that opens and never delivers would otherwise be opened without rest.
                pause = not capture.delivered
        finally:
            self._stats.state = "closed"

    async def _open(self, *, pause: bool) -> tuple[Capture, Opened]:
        """Try until it works; one line when it does not, one when it does."""
        again = self._stats.state == "lost"
        told = False
        while True:
            if pause:
                await self._clock.sleep(self._settings.reopen_ms / 1000)
            self._stats.attempts += 1
            capture = Capture(self._clock, self._settings.stale_ms / 1000, closely=self._closely)
            try:
                opened = await self._host.open_input(self._settings.microphone, capture.on_block, capture.on_end)
            except DeviceError as error:
                pause = True
                if not told:
                    told = True
                    self._stats.state = "lost" if again else "missing"
                    log.warning("no microphone: %s; looking again every %d ms", error, self._settings.reopen_ms)
                continue
            capture.begin(opened, self._settings.ring_ms)
            self._capture = capture
            stats = self._stats
            stats.device, stats.rate, stats.channels, stats.state = opened.device, opened.rate, opened.channels, "open"
            stats.reopened += again
            log.info("microphone %s: %d Hz, %d channels", opened.device, opened.rate, opened.channels)
            return capture, opened

    def _note(self, pcm: Pcm, at: float, overflow: int) -> None:
        stats = self._stats
        stats.frames += 1
        stats.last_frame_at = at
        if overflow > stats.overflow_samples and overflow // SAMPLE_RATE > stats.overflow_samples // SAMPLE_RATE:
            log.warning("microphone %s: %d samples lost so far, the daemon is too slow", stats.device, overflow)
        stats.overflow_samples = overflow
        if pcm.any():
            self._zeros = 0
            stats.silent_zeros = False
            return
        self._zeros += FRAME_SAMPLES
        if self._zeros >= ZEROS_S * SAMPLE_RATE and not stats.silent_zeros:
            stats.silent_zeros = True
            log.warning(
                "microphone %s delivers only zeros: it is muted, at volume 0, or its driver does not work "
                "(a Jetson's plughw does this); unmute it (alsamixer, pactl) or name another in [audio] microphone",
                stats.device,
            )

    @property
    def _host(self) -> SoundHost:
        if self._given_host is None:
            from claudiad.audio.portaudio import shared_host

            self._given_host = shared_host()
        return self._given_host
