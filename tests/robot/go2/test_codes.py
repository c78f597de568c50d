"""Every code has a meaning, and none but the robot's state says that something is done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.robot.base import Status
from claudiad.robot.go2.codes import CODES, outcome

FACTS = [0, 3102, 3103, 3104, 3105, 3106, 3107, *range(3201, 3208), 4101, 4201, 4202, 4205, 4206, 5201, 5202]
FACTS += range(7001, 7010)


@pytest.mark.parametrize("code", FACTS)
def test_every_code_of_the_facts_is_there(code: int) -> None:
    """docs/facts.md lists them."""
    assert code in CODES


@given(st.integers(-(1 << 31), 1 << 31))
def test_no_code_alone_is_done(code: int) -> None:
    """Not even 0: the state shows what came of it."""
    assert outcome(code).status is not Status.DONE


@pytest.mark.parametrize("code", [3102, 3103, 3203, 3204, 4201, 4206, 9999])
def test_what_went_wrong_is_said(code: int) -> None:
    """A sentence for the person."""
    assert outcome(code).text.endswith("。")


def test_a_late_reply_is_no_failure() -> None:
    """3104: the action may still run."""
    assert outcome(3104) == outcome(0)
    assert outcome(3104).status is Status.UNKNOWN
