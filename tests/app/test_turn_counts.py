"""The counts behind `claudiactl stats`, and what the process takes."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.ledger import RefusedStep, Step, TurnRecord
from claudiad.app.turn_counts import KEPT, TurnCounts, spread
from claudiad.config import Settings
from claudiad.service.usage import Usage
from claudiad.types import Action, Refusal

BUDGETS = Settings().turn
SIT = Step(Action("Sit", 1009), "座る", "done")
FLIP = RefusedStep(Refusal("FrontFlip", 1030, "危ないです。"), "宙返り")


def test_turns_are_counted_by_what_became_of_them() -> None:
    """Routes of those that were understood, reasons of those that were dropped, outcomes, refusals, late ones."""
    counts = TurnCounts()
    for record in (
        TurnRecord(1, "", route="hotpath", steps=(SIT, SIT), timings_ms={"speech_end_to_dispatch": 200.0}),
        TurnRecord(2, "", route="hotpath", refused=(FLIP,), timings_ms={"speech_end_to_dispatch": 900.0}),
        TurnRecord(3, "", dropped="silence", timings_ms={"decide": 0.0}),
        TurnRecord(4, "", route="llm", model="m", repairs=("gate", "gate", "stop word")),
    ):
        counts.note(record, BUDGETS)
    got = counts.to_json()
    assert (got["turns"], got["refused"], got["over_budget"]) == (4, 1, 1)
    assert got["routes"] == {"hotpath": 2, "llm": 1}
    assert (got["dropped"], got["actions"]) == ({"silence": 1}, {"done": 2})
    assert got["repairs"] == {"gate": 2, "stop word": 1}
    assert got["times_ms"]["speech_end_to_dispatch"] == {"n": 2, "p50": 200.0, "p90": 900.0, "max": 900.0}
    assert "stt" not in got["times_ms"]


def test_only_the_newest_times_are_kept() -> None:
    """A daemon that runs for months takes no more memory for them."""
    counts = TurnCounts()
    for turn in range(KEPT + 10):
        counts.note(TurnRecord(turn, "", route="hotpath", timings_ms={"stt": float(turn)}), BUDGETS)
    assert counts.to_json()["times_ms"]["stt"] == {"n": KEPT, "p50": 259.0, "p90": 459.0, "max": 509.0}


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_spread_is_in_order(values: list[float]) -> None:
    """Each figure is one of the values, none above the next."""
    got = spread(values)
    assert got["n"] == len(values)
    assert min(values) - 0.001 <= got["p50"] <= got["p90"] <= got["max"] <= max(values) + 0.001


def test_no_values_have_no_spread() -> None:
    """That is an error of the caller's."""
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_the_usage_is_the_kernels() -> None:
    """One more thread and two more descriptors are seen, and memory in bytes."""
    go_on = threading.Event()
    before = Usage.now()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    ends = os.pipe()
    after = Usage.now()
    go_on.set()
    thread.join()
    for end in ends:
        os.close(end)
    assert (after.threads - before.threads, after.descriptors - before.descriptors) == (1, 2)
    assert Usage.now().descriptors == before.descriptors
    assert 10_000_000 < after.resident_bytes < 10_000_000_000
    assert after.cpu_s > 0
