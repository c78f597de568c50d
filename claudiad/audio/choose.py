"""Which device a name means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from claudiad.errors import DeviceError

Direction = Literal["input", "output"]

_MOST_CHANNELS = 2


def choose_device(devices: Sequence[Mapping[str, Any]], default: int, wanted: str, direction: Direction) -> int:
    """Index of the device `wanted` names in PortAudio's list.

    Args:
        devices: as from `sounddevice.query_devices()`.
        default: index of the system's default for this direction, -1 for none.
        wanted: `default`, or part of a name in any case; a whole name wins over a part of another.

    Raises:
        DeviceError: nothing fits; the message lists what is there.
    """
    usable = [index for index, one in enumerate(devices) if one[f"max_{direction}_channels"] > 0]
    if wanted == "default":
        if default in usable:
            return default
        if usable:
            return usable[0]
    folded = wanted.casefold()
    names = {index: str(devices[index]["name"]).casefold() for index in usable}
    for index in usable:
        if names[index] == folded:
            return index
    for index in usable:
        if folded in names[index]:
            return index
    there = ", ".join(str(devices[index]["name"]) for index in usable) or "none"
    raise DeviceError(f"no {direction} device {wanted!r}; there are: {there}")


def channels_of(device: Mapping[str, Any], direction: Direction) -> int:
    """How many of a device's channels to open.

    More than two are an array's raw microphones and its playback loopback, or a plugin that claims
    whatever it is asked for (PulseAudio's ALSA plugin: 32): the first two are the ones to hear and speak with.
    """
    return min(int(device[f"max_{direction}_channels"]), _MOST_CHANNELS)
