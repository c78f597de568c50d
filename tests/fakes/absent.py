"""What a test does on a machine that lacks something it needs: it fails, and says how to get it."""

from __future__ import annotations

import shutil
from typing import NoReturn

import pytest


def without(reason: str) -> NoReturn:
    """Fail with the reason alone: a test that was not run has shown nothing."""
    pytest.fail(reason, pytrace=False)


def require(program: str, package: str) -> None:
    """Go on where a program is; `scripts/system-packages test` installs it with its Debian package."""
    if shutil.which(program) is None:
        without(f"{program} is not here: apt-get install {package}")
