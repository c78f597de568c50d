"""Fixtures of the tests with real devices, servers and processes."""

from __future__ import annotations

from tests.fakes.sdk import requires_sdk

__all__ = ["requires_sdk"]
