"""What tests over DDS ask for: the real SDK, no fake of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NoReturn

import pytest

from claudiad.errors import EngineMissing
from claudiad.robot.go2 import sdk
from tests.fakes.absent import without


def without_sdk(reason: str, environ: Mapping[str, str]) -> NoReturn:
    """As `without`."""
    without(f"no Go2 SDK: {reason}", environ)


@pytest.fixture
def requires_sdk() -> None:
    """The test runs only where the Go2 SDK is installed: `pytestmark = pytest.mark.usefixtures("requires_sdk")`."""
    try:
        sdk.load()
    except EngineMissing as fault:
        without_sdk(str(fault), os.environ)
