"""What holds for all tests."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest
from hypothesis import settings

from claudiad.robot.go2 import sdk

# How long an example takes says something about the machine, not about the code.
settings.register_profile("claudiad", deadline=None)
settings.load_profile("claudiad")


@pytest.fixture
def no_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine on which the Go2's SDK is not installed."""
    find = importlib.util.find_spec
    hidden = "unitree_sdk2py"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == hidden else find(name, *a))
    sdk.load.cache_clear()
    yield
    sdk.load.cache_clear()
