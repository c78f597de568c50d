"""Faults on demand: their words, and which call they fall upon."""

from __future__ import annotations

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.go2sim.faults import HELP, Fault, Faults, Kind, parse

STOP, MOVE, HELLO = 1003, 1008, 1016
NEVER = -math.inf


def given_at(now: float, *words: str) -> Faults:
    faults = Faults()
    for word in words:
        faults.add(parse(word), now)
    return faults


def upon(faults: Faults, api_id: int, now: float, stood_up_at: float = NEVER, service: str = "sport") -> str | None:
    fault = faults.upon(service, api_id, now, stood_up_at)
    return fault.text if fault else None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("no-reply", Fault("no-reply", Kind.NO_REPLY)),
        ("no-reply:Hello", Fault("no-reply:Hello", Kind.NO_REPLY, api=("sport", HELLO))),
        ("no-reply:1016x3", Fault("no-reply:1016x3", Kind.NO_REPLY, api=("sport", HELLO), count=3)),
        ("unknown:4711", Fault("unknown:4711", Kind.UNKNOWN, api=("sport", 4711))),
        ("no-reply:videohub/1001", Fault("no-reply:videohub/1001", Kind.NO_REPLY, api=("videohub", 1001))),
        ("late-reply:1.5", Fault("late-reply:1.5", Kind.LATE_REPLY, 1.5)),
        (
            "late-reply:2:stopmove@0.5x1",
            Fault("late-reply:2:stopmove@0.5x1", Kind.LATE_REPLY, 2.0, api=("sport", STOP), after_s=0.5, count=1),
        ),
        ("code:3202:Move", Fault("code:3202:Move", Kind.CODE, 3202.0, api=("sport", MOVE))),
        ("drop-state", Fault("drop-state", Kind.DROP_STATE, math.inf)),
        ("drop-state:2@1", Fault("drop-state:2@1", Kind.DROP_STATE, 2.0, after_s=1.0)),
        ("locked:8", Fault("locked:8", Kind.LOCKED, 8.0)),
        ("battery:9", Fault("battery:9", Kind.BATTERY, 9.0)),
        ("remote:walk@3", Fault("remote:walk@3", Kind.REMOTE, what="walk", after_s=3.0)),
        ("die@0", Fault("die@0", Kind.DIE)),
        (" deaf-but-stopx2 ", Fault("deaf-but-stopx2", Kind.DEAF_BUT_STOP, count=2)),
    ],
)
def test_the_words(text: str, fault: Fault) -> None:
    """What is written is what is meant."""
    assert repr(parse(text)) == repr(fault)  # nan equals no nan


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not of the form"),
        ("no reply", "not of the form"),
        ("die@", "not of the form"),
        ("explode", "there is no fault 'explode'; here are: no-reply, late-reply"),
        ("late-reply", "late-reply needs an argument: SECONDS is a number from 0 to 3600"),
        ("late-reply:soon", "SECONDS is a number"),
        ("late-reply:nan", "SECONDS is a number"),
        ("late-reply:-1", "SECONDS is a number"),
        ("battery:101", "PERCENT is a number from 0 to 100"),
        ("code:3.5", "NNNN is a whole number"),
        ("code:0", "NNNN is a whole number"),
        ("remote", "remote:sit or remote:walk"),
        ("remote:fly", "remote:sit or remote:walk"),
        ("die:now", "die does not take the argument 'now'"),
        ("deaf-but-stop:Hello", "deaf-but-stop does not take the argument 'Hello'"),
        ("no-reply:Hello:2", "no-reply does not take the argument '2'"),
        ("no-reply:Helo", "the service sport has no api 'Helo'"),
        ("no-reply:camera/1001", "there is no service 'camera'; here are: motion_switcher, "),
        ("die@soon", "AFTER_S is a number of seconds"),
        ("no-reply@inf", "AFTER_S is a number of seconds"),
        ("no-replyx0", "xCOUNT is a number of calls, at least 1"),
        ("diex2", "xCOUNT is a number of calls"),
        ("drop-statex2", "xCOUNT is a number of calls"),
    ],
)
def test_what_is_no_fault_is_said_in_one_line(text: str, says: str) -> None:
    """The message names the fault and what would be right."""
    with pytest.raises(ValueError, match=re.escape(says)) as wrong:
        parse(text)
    assert repr(text.strip()) in str(wrong.value)
    assert "\n" not in str(wrong.value)


@given(st.text(max_size=30))
def test_any_text_is_a_fault_or_a_value_error(text: str) -> None:
    """Nothing typed by a person brings the simulator down."""
    with contextlib.suppress(ValueError):
        assert parse(text).text == text.strip()


def test_the_help_names_every_fault() -> None:
    """What --help lists is what there is."""
    assert {line.split()[0].partition(":")[0].partition("[")[0] for line in HELP.splitlines()} == set(Kind)


def test_a_fault_begins_when_it_says() -> None:
    """Two seconds after it was given, not before."""
    faults = given_at(10.0, "no-reply@2")
    assert upon(faults, HELLO, 11.9) is None
    assert upon(faults, HELLO, 12.0) == "no-reply@2"


def test_a_fault_falls_upon_its_api_only() -> None:
    """The id of one service is not that of another."""
    faults = given_at(0.0, "no-reply:1001")
    assert upon(faults, HELLO, 1.0) is None
    assert upon(faults, 1001, 1.0, service="videohub") is None
    assert upon(faults, 1001, 1.0) == "no-reply:1001"


def test_a_fault_ends_after_its_count() -> None:
    """Calls it does not fit do not count."""
    faults = given_at(0.0, "code:3202:Hellox2")
    assert [upon(faults, api, 1.0) for api in (HELLO, STOP, HELLO, HELLO)] == [
        "code:3202:Hellox2",
        None,
        "code:3202:Hellox2",
        None,
    ]
    assert list(faults) == []


def test_the_first_that_fits_decides() -> None:
    """Two faults for one call: the older one, and the newer one when that is used up."""
    faults = given_at(0.0, "code:3202:Hellox1", "no-reply")
    assert [upon(faults, HELLO, 1.0), upon(faults, HELLO, 1.0)] == ["code:3202:Hellox1", "no-reply"]


def test_deaf_but_stop_spares_the_stop() -> None:
    """Of all services only the sport service's StopMove gets through."""
    faults = given_at(0.0, "deaf-but-stop")
    assert upon(faults, STOP, 1.0) is None
    assert upon(faults, HELLO, 1.0)
    assert upon(faults, STOP, 1.0, service="vui")


def test_locked_ends_so_long_after_standing_up() -> None:
    """It is about Move, and counts from the last StandUp."""
    faults = given_at(0.0, "locked:8")
    assert upon(faults, MOVE, 5.0) is None
    assert upon(faults, MOVE, 5.0, stood_up_at=1.0) == "locked:8"
    assert upon(faults, STOP, 5.0, stood_up_at=1.0) is None
    assert upon(faults, MOVE, 9.0, stood_up_at=1.0) is None


def test_what_happens_once_is_due_once() -> None:
    """In its time, and then it is forgotten; faults that hold are not among them."""
    faults = given_at(0.0, "battery:9@1", "remote:sit@1", "die@2", "no-reply")
    assert faults.due(0.9) == []
    assert [fault.text for fault in faults.due(1.0)] == ["battery:9@1", "remote:sit@1"]
    assert faults.due(1.5) == []
    assert [fault.text for fault in faults.due(99.0)] == ["die@2"]
    assert list(faults) == ["no-reply"]


def test_state_is_dropped_for_as_long_as_it_says() -> None:
    """Without a length it stays away until it is cleared."""
    faults = given_at(0.0, "drop-state:2@1")
    assert [faults.silent(t) for t in (0.9, 1.0, 2.9, 3.0)] == [False, True, True, False]
    faults = given_at(0.0, "drop-state")
    assert faults.silent(1e5)
    assert faults.clear() == 1
    assert not faults.silent(1e5)


def test_clear_forgets_all() -> None:
    """Nothing falls upon any call afterwards, and nothing happens."""
    faults = given_at(0.0, "no-reply", "die@5")
    assert faults.clear() == 2
    assert upon(faults, HELLO, 9.0) is None
    assert faults.due(9.0) == []
