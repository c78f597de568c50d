"""A playback device as a speaker: opened once, kept open, and never the reason why a turn fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np

from claudiad.audio.capture import FIRST_BLOCK_S
from claudiad.audio.gain import Gain, checked
from claudiad.audio.host import Opened, SoundHost
from claudiad.audio.reference import PlaybackReference
from claudiad.audio.resample import StreamConverter
from claudiad.audio.ring import Ring
from claudiad.audio.speaker import OnFirstSample, PlayGate, Turn
from claudiad.audio.timeline import Timeline
from claudiad.audio.waiting import wait_for_event
from claudiad.clock import Clock
from claudiad.config import AudioSettings
from claudiad.errors import DeviceError
from claudiad.types import Pcm

log = logging.getLogger(__name__)

_BUFFER_S = 0.2
_CHUNK_S = 0.1  # resampled at a time: a long text must not hold up the loop


class _Output:
    """One opening of the device: the ring between the loop and the device's thread."""

    def __init__(self, clock: Clock, gate: PlayGate, reference: PlaybackReference) -> None:
        self._clock = clock
        self._gate = gate
        self._reference = reference
        self._timeline = Timeline(1)
        self._frames = 0
        self.opened: Opened | None = None
        self.gain = Gain(1)
        self.ring = Ring(1)
        self.ended = False
        self.taken = False
        """The device has taken at least one block, of silence perhaps."""
        self.first_at: float | None = None
        """When the first block of the present sound was taken."""

    def begin(self, opened: Opened, gain: float) -> None:
        self.ring = Ring(max(1, int(opened.rate * _BUFFER_S)) * opened.channels)
        self.gain = Gain(opened.rate * opened.channels)
        self.gain.target = gain
        self._timeline = Timeline(opened.rate)
        self.opened = opened

    def fill(self, out: Pcm) -> None:
        """The device's thread: copy and wake."""
        now, opened = self._clock.now(), self.opened
        self.taken = True
        if opened is None:
            return
        samples = self.gain.apply(self.ring.read(len(out))) if len(self.ring) else out[:0]
        out[: len(samples)] = samples
        # Silence counts as well: when a sound begins, the device's rhythm is long known.
        begins = self._timeline.time_of(self._frames, now)
        self._frames += len(out) // opened.channels
        if len(samples):
            self._reference.write(samples[:: opened.channels], opened.rate, begins + opened.latency_s)
        turn = self._gate.turn
        if turn is not None:
            if len(samples) and self.first_at is None:
                self.first_at = now
            turn.notify()

    def on_end(self) -> None:
        """The device's thread: it has gone."""
        self.ended = True
        turn = self._gate.turn
        if turn is not None:
            turn.notify()


class DeviceSpeaker:
    """Plays through a sound device when there is one."""

    def __init__(self, settings: AudioSettings, clock: Clock, host: SoundHost | None = None) -> None:
        """Args: `host` is PortAudio when None."""
        self._settings = settings
        self._clock = clock
        self._given_host = host
        self._gate = PlayGate()
        self._reference = PlaybackReference()
        self._gain = 1.0
        self._output: _Output | None = None
        self._retry_at = clock.now()
        self._told = False
        self._sounds_until = clock.now()

    @property
    def playing(self) -> bool:
        output = self._output
        return (output is not None and len(output.ring) > 0) or self._clock.now() < self._sounds_until

    @property
    def latency_s(self) -> float:
        output = self._output
        return output.opened.latency_s if output is not None and output.opened is not None else 0.0

    @property
    def reference(self) -> PlaybackReference:
        return self._reference

    def set_gain(self, gain: float) -> None:
        """See `Speaker`."""
        self._gain = checked(gain)
        if self._output is not None:
            self._output.gain.target = gain

    async def open(self) -> None:
        """See `Speaker`."""
        async with self._gate.enter():
            await self._ready()

    async def play(self, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None = None) -> None:
        """See `Speaker`. `on_first_sample` is not called when there is no device."""
        async with self._gate.enter() as turn:
            output = None if turn.stopped else await self._ready()
            played_s = 0.0
            if output is not None:
                try:
                    played_s = await self._feed(output, turn, pcm, rate, on_first_sample)
                finally:
                    output.ring.clear()  # nothing is left after a normal end
            remaining = len(pcm) / rate - played_s
            if remaining > 0 and not turn.stopped:
                await wait_for_event(turn.wake, self._clock, remaining)

    def stop(self) -> None:
        """See `Speaker`."""
        self._gate.stop()
        output = self._output
        if output is not None:
            output.ring.clear()

    async def close(self) -> None:
        """See `Speaker`."""
        self.stop()
        async with self._gate.enter():
            await self._drop()

    async def _feed(
        self, output: _Output, turn: Turn, pcm: Pcm, rate: int, on_first_sample: OnFirstSample | None
    ) -> float:
        """Hand over the samples; returns the seconds that were, all of them unless the device went away."""
        opened = output.opened
        assert opened is not None, "an output is used only after begin()"  # noqa: S101
        per_second = opened.rate * opened.channels
        output.first_at = None
        handed = 0
        for chunk in _chunks(pcm, rate, opened):
            rest = chunk
            while len(rest):
                count = output.ring.write(rest)
                rest = rest[count:]
                handed += count
                if len(rest) and not await self._room(output, turn):
                    return (handed - len(output.ring)) / per_second
                on_first_sample = _tell(output, on_first_sample)
        while len(output.ring):
            if not await self._room(output, turn):
                return (handed - len(output.ring)) / per_second
            on_first_sample = _tell(output, on_first_sample)
        self._sounds_until = self._clock.now() + opened.latency_s
        return len(pcm) / rate

    async def _room(self, output: _Output, turn: Turn) -> bool:
        """Wait until the device has taken a block; False when it is gone, or nothing is wanted any more."""
        stale_s = self._settings.stale_ms / 1000
        patience_s = stale_s if output.taken else max(stale_s, FIRST_BLOCK_S)
        took = await wait_for_event(turn.wake, self._clock, patience_s)
        if turn.stopped:
            self._sounds_until = self._clock.now() + self.latency_s
            return False
        if output.ended or not took:
            output.ended = True
            log.warning("speaker %s is lost: %s", self._settings.speaker, "it ended" if took else "it takes nothing")
            return False
        return True

    async def _ready(self) -> _Output | None:
        """The open device, or None: there is none, and it is not yet time to look again."""
        if self._output is not None and not self._output.ended:
            return self._output
        await self._drop()
        if self._clock.now() < self._retry_at:
            return None
        output = _Output(self._clock, self._gate, self._reference)
        try:
            opened = await self._host.open_output(self._settings.speaker, output.fill, output.on_end)
        except DeviceError as error:
            self._retry_at = self._clock.now() + self._settings.reopen_ms / 1000
            if not self._told:
                self._told = True
                log.warning("no speaker: %s; nothing is heard until there is one", error)
            return None
        output.begin(opened, self._gain)
        self._output = output
        self._told = False
        log.info(
            "speaker %s: %d Hz, %d channels, %.0f ms",
            opened.device,
            opened.rate,
            opened.channels,
            opened.latency_s * 1000,
        )
        return output

    async def _drop(self) -> None:
        output, self._output = self._output, None
        if output is not None and output.opened is not None:
            await self._host.close(output.opened)

    @property
    def _host(self) -> SoundHost:
        if self._given_host is None:
            from claudiad.audio.portaudio import shared_host

            self._given_host = shared_host()
        return self._given_host


def _tell(output: _Output, on_first_sample: OnFirstSample | None) -> OnFirstSample | None:
    """Report the first block once; returns whom to tell still."""
    if on_first_sample is None or output.first_at is None:
        return on_first_sample
    on_first_sample(output.first_at)
    return None


def _chunks(pcm: Pcm, rate: int, opened: Opened) -> Iterator[Pcm]:
    """The sound at the device's rate, every channel the same, interleaved."""
    converter = StreamConverter(rate, out_rate=opened.rate)
    step = max(1, int(rate * _CHUNK_S))
    for at in range(0, len(pcm), step):
        yield np.repeat(converter.push(pcm[at : at + step]), opened.channels)
    yield np.repeat(converter.flush(), opened.channels)
