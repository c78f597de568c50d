"""Which device a name means."""

import pytest

from claudiad.audio.choose import channels_of, choose_device
from claudiad.errors import DeviceError

DEVICES = [
    {"name": "HDA Intel: HDMI 0 (hw:0,3)", "max_input_channels": 0, "max_output_channels": 8},
    {"name": "ReSpeaker 4 Mic Array: USB Audio (hw:2,0)", "max_input_channels": 6, "max_output_channels": 2},
    {"name": "USB Audio", "max_input_channels": 1, "max_output_channels": 0},
    {"name": "pulse", "max_input_channels": 32, "max_output_channels": 32},
]


def test_part_of_a_name_in_any_case_is_enough() -> None:
    """The card's number may change with every start; its name does not."""
    assert choose_device(DEVICES, 3, "respeaker", "input") == 1
    assert choose_device(DEVICES, 3, "hdmi", "output") == 0


def test_a_whole_name_wins_over_a_part_of_another() -> None:
    """`usb audio` is the device of that name, although an earlier one contains it."""
    assert choose_device(DEVICES, 3, "usb audio", "input") == 2


def test_default_is_the_systems_or_the_first_that_can() -> None:
    """A default that cannot record, or is none, is not taken for the microphone."""
    assert choose_device(DEVICES, 3, "default", "input") == 3
    assert choose_device(DEVICES, 0, "default", "input") == 1
    assert choose_device(DEVICES, -1, "default", "output") == 0


def test_only_devices_of_the_direction_count_and_the_error_lists_them() -> None:
    """An HDMI output is no microphone; the person sees which names there are."""
    with pytest.raises(DeviceError, match=r"no input device 'hdmi'; there are: ReSpeaker.*, USB Audio, pulse"):
        choose_device(DEVICES, 3, "hdmi", "input")
    with pytest.raises(DeviceError, match="there are: none"):
        choose_device([], -1, "default", "input")


def test_more_than_two_channels_are_never_opened() -> None:
    """An array's raw and loopback channels are not mixed into the voice."""
    assert [channels_of(one, "input") for one in DEVICES] == [0, 2, 1, 2]
