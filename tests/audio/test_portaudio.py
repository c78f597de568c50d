"""The PortAudio host against a stand-in for the sounddevice module."""

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from claudiad.audio import portaudio
from claudiad.audio.portaudio import PortAudioHost
from claudiad.errors import DeviceError


class FakePortAudio:
    """A frozen list, a fresh one, and streams that a re-initialisation ends."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.present = ["usb"]
        self.listed = list(self.present)
        self.broken: set[str] = set()
        self.streams: list[Any] = []
        self.initialised = 0
        self.default = SimpleNamespace(device=[0, 0])

    def query_devices(self) -> list[dict[str, Any]]:
        return self._described(self.listed)

    def described_now(self) -> list[dict[str, Any]]:
        return self._described(self.present)

    @staticmethod
    def _described(names: list[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, "max_input_channels": 1, "max_output_channels": 2, "default_samplerate": 48_000.0}
            for name in names
        ]

    def _stream(self, **options: Any) -> Any:
        name = self.listed[options["device"]]
        if name not in self.present or name in self.broken:
            raise self.PortAudioError("Device unavailable")
        stream = SimpleNamespace(options=options, name=name, latency=0.04, open=True)

        def close(*, ignore_errors: bool) -> None:
            stream.open = False
            options["finished_callback"]()

        stream.start = lambda: None
        stream.abort = lambda *, ignore_errors: None
        stream.close = close
        self.streams.append(stream)
        return stream

    RawInputStream = RawOutputStream = _stream

    def _terminate(self) -> None:
        assert not any(stream.open for stream in self.streams), "PortAudio would pull open streams away"

    def _initialize(self) -> None:
        self.initialised += 1
        self.listed = list(self.present)

    def _exit_handler(self) -> None:
        return


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)

    def run(_command: list[str], **_options: Any) -> Any:
        return SimpleNamespace(stdout=json.dumps([fake.described_now(), fake.default.device]))

    monkeypatch.setattr(portaudio.subprocess, "run", run)
    monkeypatch.setattr(portaudio.atexit, "register", lambda _call: None)
    return fake


def _ignore(_block: np.ndarray) -> None:
    return


async def test_streams_are_opened_in_the_devices_own_format(fake: FakePortAudio) -> None:
    """Its rate, its channels, 20 ms blocks; the callbacks see interleaved samples, output zeroed first."""
    host, heard = PortAudioHost(), []
    microphone = await host.open_input("USB", lambda block: heard.append(block.copy()), lambda: None)
    assert (microphone.device, microphone.rate, microphone.channels, microphone.latency_s) == ("usb", 48_000, 1, 0.04)
    assert fake.streams[0].options["blocksize"] == 960
    fake.streams[0].options["callback"](np.array([1, 2], np.int16).tobytes(), 2, None, None)
    assert heard[0].tolist() == [1, 2]

    def fill(out: np.ndarray) -> None:
        out[:1] = 9

    await host.open_output("usb", fill, lambda: None)
    buffer = bytearray(b"\x07" * 8)
    fake.streams[1].options["callback"](buffer, 2, None, None)
    assert np.frombuffer(buffer, np.int16).tolist() == [9, 0, 0, 0]


async def test_closing_is_no_news_and_may_be_repeated(fake: FakePortAudio) -> None:
    """The owner that closes is not told that its stream ended; an end by itself is told."""
    host, ends = PortAudioHost(), []
    stream = await host.open_input("usb", _ignore, lambda: ends.append("input"))
    other = await host.open_input("usb", _ignore, lambda: ends.append("other"))
    for _ in range(2):
        await host.close(stream)
    assert ends == []
    fake.streams[1].options["finished_callback"]()
    assert ends == ["other"]
    await host.close(other)
    assert not any(one.open for one in fake.streams)


async def test_a_device_that_came_later_is_found_after_one_failure(fake: FakePortAudio) -> None:
    """PortAudio is started anew only once the device is there; other streams are ended first and told so."""
    host, ends = PortAudioHost(), []
    await host.open_output("usb", _ignore, lambda: ends.append("speaker"))
    for _ in range(3):
        with pytest.raises(DeviceError, match="no input device 'array'"):
            await host.open_input("array", _ignore, lambda: None)
    assert fake.initialised == 0
    assert ends == []
    fake.present.append("array")
    assert (await host.open_input("array", _ignore, lambda: None)).device == "array"
    assert fake.initialised == 1
    assert ends == ["speaker"]


async def test_a_device_that_is_listed_and_cannot_be_opened_disturbs_nobody(fake: FakePortAudio) -> None:
    """Busy or refusing: no re-initialisation would help, so the other streams go on."""
    host, ends = PortAudioHost(), []
    fake.present.append("other")
    fake.listed.append("other")
    await host.open_output("other", _ignore, lambda: ends.append("speaker"))
    fake.broken.add("usb")
    for _ in range(3):
        with pytest.raises(DeviceError, match="cannot be opened: Device unavailable"):
            await host.open_input("usb", _ignore, lambda: None)
    assert (fake.initialised, ends) == (0, [])
    fake.broken.clear()
    assert (await host.open_input("usb", _ignore, lambda: None)).device == "usb"


async def test_a_list_that_cannot_be_had_is_a_device_error(
    fake: FakePortAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that hangs on a frozen server is a missing device, not a crash."""
    host = PortAudioHost()
    with pytest.raises(DeviceError):
        await host.open_input("array", _ignore, lambda: None)

    def hang(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("python", 2.5)

    monkeypatch.setattr(portaudio.subprocess, "run", hang)
    with pytest.raises(DeviceError, match="cannot be listed"):
        await host.open_input("array", _ignore, lambda: None)
