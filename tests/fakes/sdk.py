"""What tests over DDS ask for: the real SDK, no fake of it."""

from __future__ import annotations

import pytest

from claudiad.errors import EngineMissing
from claudiad.robot.go2 import sdk
from tests.fakes.absent import without


def require_sdk() -> None:
    """Go on where the Go2 SDK is installed; `scripts/robot-sdk` installs it."""
    try:
        sdk.load()
    except EngineMissing as fault:
        without(f"no Go2 SDK: {fault}")


@pytest.fixture
def requires_sdk() -> None:
    """The test needs the Go2 SDK: `pytestmark = pytest.mark.usefixtures("requires_sdk")`."""
    require_sdk()
