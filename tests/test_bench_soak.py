"""The soak's short form: two hundred turns with their faults leave the process as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.soak import FAULTS, Sample, complaints, soak

FIRST = Sample(200, 100.0, 20, 9, 4, 600.0, 10.0)


async def test_two_hundred_turns_leave_nothing_behind(tmp_path: Path) -> None:
    """A tenth of them with faults of every kind, all felt: memory, descriptors, threads and tasks as before."""
    result = await soak(200, 60, tmp_path)
    assert result.complaints == []
    assert sum(result.routes.values()) >= 200
    assert result.faults.total() == 20
    assert set(result.felt) == set(FAULTS)
    assert {"hotpath", "grammar", "motion", "llm", "emergency", "out of vocabulary"} <= set(result.routes)


async def test_a_leak_is_found(tmp_path: Path) -> None:
    """A descriptor left open at every sample is a complaint with its numbers."""
    left = []

    def leak(_: Sample) -> None:
        left.append((tmp_path / "x").open("w"))

    result = await soak(16, 8, tmp_path, leak)
    for file in left:
        file.close()
    assert len(result.complaints) == 1
    assert result.complaints[0].startswith("descriptors: ")


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({"resident_mb": 105.0}, []),
        ({"resident_mb": 95.0}, []),
        ({"resident_mb": 105.1}, ["resident memory grew from 100.0 to 105.1 MB, more than 5 %"]),
        ({"threads": 10}, ["threads: 9 became 10"]),
        ({"tasks": 5, "descriptors": 19}, ["descriptors: 20 became 19", "tasks: 4 became 5"]),
    ],
)
def test_growth_is_said_in_words(later: dict[str, float], said: list[str]) -> None:
    """5 % of memory are allowed, wherever in between they were taken; of the rest nothing."""
    assert complaints([FIRST, replace(FIRST, **later)]) == said  # type: ignore[arg-type]


def test_a_peak_in_between_counts() -> None:
    """Memory that was given back again was taken all the same."""
    assert complaints([FIRST, replace(FIRST, resident_mb=200.0), FIRST])
