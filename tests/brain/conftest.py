"""The shipped tables, loaded once, with the actions of the registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claudiad.brain.router import Router, Tables, load_tables
from claudiad.robot.registry import askable
from claudiad.robot.registry import load as load_registry
from claudiad.types import Decision, Posture, RobotState

ACTIONS = askable(load_registry())
DATA = Path(__file__).parent / "data"
STANDING = RobotState(Posture.STANDING, 100)
DANCING = RobotState(Posture.STANDING, 100, running="Dance1")


def lines(name: str) -> Iterator[str]:
    """Lines of a data file beside the tests, comments left out."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def pronounced(text: str) -> str:
    """One unbroken line of katakana, as the embedded recogniser writes it."""
    import pyopenjtalk

    spoken = "".join(str(node["pron"]) for node in pyopenjtalk.run_frontend(text))
    return re.sub(r"[^ァ-ヺー]", "", spoken)


def calls(decision: Decision) -> str:
    """Actions as the data files write them: `Sit | move x=1`."""
    return " | ".join(
        " ".join([a.name, *(f"{k}={str(v).lower() if isinstance(v, bool) else f'{v:g}'}" for k, v in a.params.items())])
        for a in decision.actions
    )


def fault(reason: str, *values: str) -> object:
    """A case that is not yet decided as it should be; its mark has to go when it is."""
    return pytest.param(*values, marks=pytest.mark.xfail(reason=reason, strict=True))


def write(folder: Path, text: str) -> Path:
    """A table of that text."""
    path = folder / "table.tsv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tables() -> Tables:
    return load_tables(ACTIONS)


@pytest.fixture(scope="session")
def router(tables: Tables) -> Router:
    return Router(tables)


@pytest.fixture(scope="session")
def decide(router: Router) -> Callable[[str], Decision]:
    return lambda text: router.decide(text, STANDING)
