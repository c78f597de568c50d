"""PortAudio through sounddevice.

What was measured with PortAudio 19 on ALSA with PulseAudio 16.1, and is relied on here:
- The device list is frozen by `Pa_Initialize`; a device that comes later is seen only after `Pa_Terminate` and
  `Pa_Initialize` (50 ms), which closes every stream of the process. sounddevice sends standard error to nowhere
  meanwhile, and lines of the log with it: so a child process (0.2 s of CPU) looks first.
- A killed server ends a stream at once: its finished callback is called, then nothing more. A stopped one
  (SIGSTOP) stops the callbacks, and blocks abort, close and terminate until it goes on.
- 20 ms blocks at 40 ms latency cost 1 % of a core; PortAudio's `low` latency makes 440 callbacks a second, 6 %.
"""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claudiad.audio.choose import Direction, channels_of, choose_device
from claudiad.audio.host import FillBlock, OnBlock, OnEnd, Opened
from claudiad.audio.urgent import urgent
from claudiad.audio.worker import Worker
from claudiad.errors import DeviceError

_BLOCK_S = 0.02
_LATENCY_S = 0.04
_TIMEOUT_S = 5.0
_LIST_DEVICES = "import json, sounddevice as s; print(json.dumps([s.query_devices(), list(s.default.device)]))"


@dataclass(slots=True, eq=False)
class _Stream:
    """A stream of PortAudio's and whom to tell of its end."""

    on_end: OnEnd
    raw: Any = None
    closing: bool = False


class PortAudioHost:
    """All streams of this process; every call into PortAudio is made by one thread."""

    def __init__(self) -> None:
        self._worker = Worker("portaudio")
        self._streams: dict[int, _Stream] = {}
        self._count = 0
        self._started = False
        self._failed: set[tuple[str, Direction]] = set()

    async def open_input(self, device: str, on_block: OnBlock, on_end: OnEnd) -> Opened:
        """See `SoundHost`."""

        first = True

        def callback(data: Any, _frames: int, _time: Any, _status: Any) -> None:
            nonlocal first
            if first:
                first = False
                urgent()
            on_block(np.frombuffer(data, np.int16))

        return await self._open(device, "input", callback, on_end)

    async def open_output(self, device: str, fill: FillBlock, on_end: OnEnd) -> Opened:
        """See `SoundHost`."""

        first = True

        def callback(data: Any, _frames: int, _time: Any, _status: Any) -> None:
            nonlocal first
            if first:
                first = False
                urgent()
            out = np.frombuffer(data, np.int16)
            out[:] = 0
            fill(out)

        return await self._open(device, "output", callback, on_end)

    def settle(self, timeout_s: float) -> bool:
        """Before the process ends: wait for PortAudio's calls under way. False when one hangs."""
        return self._worker.settle(timeout_s)

    async def close(self, stream: Opened) -> None:
        """See `SoundHost`."""
        try:
            await self._worker.run(lambda: self._close(stream.key), _TIMEOUT_S)
        except DeviceError:
            return  # a stopped sound server: the worker closes the stream when the server goes on

    async def _open(self, device: str, direction: Direction, callback: Any, on_end: OnEnd) -> Opened:
        done: list[Opened] = []

        def work() -> Opened:
            done.append(self._open_now(device, direction, callback, on_end))
            return done[0]

        try:
            return await self._worker.run(work, _TIMEOUT_S)
        except BaseException:
            # Nobody will ever close what is opened after its caller has given up.
            self._worker.post(lambda: self._close(*(one.key for one in done)))
            raise

    # Everything below runs in the worker's thread.

    def _open_now(self, device: str, direction: Direction, callback: Any, on_end: OnEnd) -> Opened:
        if not self._started:
            self._started = True
            self._guard_exit()
        if (device, direction) in self._failed:
            self._look_again(device, direction)
        self._failed.add((device, direction))
        opened = self._open_listed(device, direction, callback, on_end)
        self._failed.discard((device, direction))
        return opened

    def _open_listed(self, device: str, direction: Direction, callback: Any, on_end: OnEnd) -> Opened:
        import sounddevice as sd

        stream = _Stream(on_end)

        def ended() -> None:
            if not stream.closing:
                self._failed.add((device, direction))
                on_end()

        try:
            devices = list(sd.query_devices())
            index = choose_device(devices, _default(sd.default.device, direction), device, direction)
            info = devices[index]
            rate = int(info["default_samplerate"])
            channels = channels_of(info, direction)
            make = sd.RawInputStream if direction == "input" else sd.RawOutputStream
            stream.raw = make(
                device=index,
                samplerate=rate,
                channels=channels,
                dtype="int16",
                blocksize=round(rate * _BLOCK_S),
                latency=_LATENCY_S,
                callback=callback,
                finished_callback=ended,
            )
            stream.raw.start()
        except sd.PortAudioError as error:
            if stream.raw is not None:
                stream.closing = True
                stream.raw.close(ignore_errors=True)
            raise DeviceError(f"{direction} device {device!r} cannot be opened: {error}") from error
        self._count += 1
        self._streams[self._count] = stream
        return Opened(str(info["name"]), rate, channels, float(stream.raw.latency), self._count)

    def _close(self, *keys: int) -> None:
        for stream in [self._streams.pop(key) for key in keys if key in self._streams]:
            stream.closing = True
            stream.raw.abort(ignore_errors=True)
            stream.raw.close(ignore_errors=True)

    def _look_again(self, device: str, direction: Direction) -> None:
        """Before another attempt at a device that could not be opened: is it there at all by now?

        A child process answers: its list is a fresh one, and what ALSA prints on every failure stays with it.

        Raises:
            DeviceError: it is not there.
        """
        import sounddevice as sd

        devices, defaults = _devices_now()
        choose_device(devices, _default(defaults, direction), device, direction)
        if _names(devices) == _names(sd.query_devices()):
            return
        for key, stream in list(self._streams.items()):
            self._close(key)
            stream.on_end()
        sd._terminate()
        sd._initialize()

    def _guard_exit(self) -> None:
        """sounddevice terminates PortAudio at exit, which would block for ever behind a stopped sound server."""
        import sounddevice as sd

        def leave() -> None:
            if self._worker.busy:
                atexit.unregister(sd._exit_handler)

        atexit.register(leave)


@functools.cache
def shared_host() -> PortAudioHost:
    """The one host of this process: PortAudio's state is the process's."""
    return PortAudioHost()


def _devices_now() -> tuple[list[dict[str, Any]], list[int]]:
    """The list and the defaults a fresh PortAudio sees; DeviceError when it sees nothing in time."""
    try:
        found = subprocess.run(
            [sys.executable, "-c", _LIST_DEVICES], capture_output=True, timeout=_TIMEOUT_S / 2, check=True
        )
        devices, defaults = json.loads(found.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise DeviceError(f"the sound devices cannot be listed: {error}") from error
    return devices, defaults


def _default(defaults: Sequence[int], direction: Direction) -> int:
    return int(defaults[0 if direction == "input" else 1])


def _names(devices: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["name"]) for one in devices]
