"""What `claudiad doctor` says about one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "missing"]
"""`warning`: something is less than it could be; `missing`: something needed is not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def of_fault(check: str, text: str) -> Finding:
    """What is missing, from an error's line `what: remedy`."""
    what, _, remedy = text.partition(": ")
    return Finding(check, "missing", what if remedy else text, remedy)
