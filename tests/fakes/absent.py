"""What a test does on a machine that lacks something it needs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import NoReturn

import pytest


def without(reason: str, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Skip the test; where CI=true fail it, so that a run nobody reads cannot leave it out unseen."""
    if environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(program: str, package: str) -> None:
    """Go on where a program is; `scripts/system-packages test` installs it with its Debian package."""
    if shutil.which(program) is None:
        without(f"{program} is not here: apt-get install {package}")
