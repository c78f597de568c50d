"""A missing SDK is seen: skipped with a reason at a desk, a failure in CI."""

from __future__ import annotations

from typing import Any

import pytest

from claudiad.errors import EngineMissing
from claudiad.robot.go2 import sdk
from tests.fakes.sdk import requires_sdk, without_sdk

__all__ = ["requires_sdk"]


def test_at_a_desk_it_is_skipped_with_the_reason() -> None:
    """The closing lines of a run say what is missing and how to get it."""
    with pytest.raises(pytest.skip.Exception, match="no Go2 SDK: run scripts/robot-sdk"):
        without_sdk("run scripts/robot-sdk", {})
    with pytest.raises(pytest.skip.Exception):
        without_sdk("run scripts/robot-sdk", {"CI": "false"})


def test_in_ci_it_fails() -> None:
    """A machine that could not install it is not a machine on which all is well."""
    with pytest.raises(pytest.fail.Exception, match="no Go2 SDK: run scripts/robot-sdk"):
        without_sdk("run scripts/robot-sdk", {"CI": "true"})


def test_what_it_says_is_what_the_program_says(monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    """The reason is the error of `robot.engine = "go2"` without the SDK."""

    def missing() -> None:
        raise EngineMissing("it is not here")

    monkeypatch.setattr(sdk, "load", missing)
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="no Go2 SDK: it is not here"):
        request.getfixturevalue("requires_sdk")
