"""A missing SDK is seen: the tests that need it fail with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from claudiad.errors import EngineMissing
from claudiad.robot.go2 import sdk
from tests.fakes.sdk import requires_sdk

__all__ = ["requires_sdk"]


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_it_says_is_what_the_program_says(monkeypatch: pytest.MonkeyPatch, request: Any, ci: str) -> None:
    """The reason is the error of `robot.engine = "go2"` without the SDK, at a desk and where nobody reads the run."""

    def missing() -> None:
        raise EngineMissing("run scripts/robot-sdk")

    monkeypatch.setattr(sdk, "load", missing)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.fail.Exception, match="no Go2 SDK: run scripts/robot-sdk"):
        request.getfixturevalue("requires_sdk")
