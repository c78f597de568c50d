"""The live picture of the dog."""

from __future__ import annotations

import io
import threading
from collections import deque
from typing import Any

import pytest
from rich.console import Console

from claudiad.go2sim.view import braille_map, picture, show
from claudiad.robot.simulator import Go2Body
from claudiad.types import Posture
from tests.robot.fakes import HandClock

CALL = {"t": 1.5, "name": "Hello", "params": {}, "code": None}


def drawn(body: Go2Body, way: list[tuple[float, float]], calls: list[dict[str, Any]]) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(picture(body.report(), way, 0.0, calls, "Go2"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_map_shows_the_way() -> None:
    """A walk to the upper right begins at the lower left and ends in an arrow."""
    lines = braille_map([(n / 10, n / 20) for n in range(21)], 1.57, 20, 6).splitlines()
    assert [len(line) for line in lines] == [20] * 6
    marks = [(row, column) for row, line in enumerate(lines) for column, c in enumerate(line) if c != "⠀"]
    assert marks[0][1] > marks[-1][1]
    assert lines[marks[0][0]][marks[0][1]] != "↑" or len(marks) > 5
    assert sum(line.count("↑") for line in lines) == 1


@pytest.mark.parametrize("far", [0.0, 1e-9, 3.0, 1e6])
def test_any_way_fits(far: float) -> None:
    """Nowhere, a hair's breadth, and a thousand kilometres are in the picture."""
    lines = braille_map([(0.0, 0.0), (-far, far), (far, -far)], -3.14, 10, 4).splitlines()
    assert [len(line) for line in lines] == [10] * 4
    assert sum(line.count("←") for line in lines) == 1


@pytest.mark.parametrize("posture", [Posture.STANDING, Posture.SITTING, Posture.LYING, Posture.DAMPED])
def test_what_the_picture_tells(posture: Posture) -> None:
    """Posture with its number, battery, and the last calls with what was answered."""
    body = Go2Body(HandClock().now, posture=posture, battery=37.0)
    text = drawn(body, [(0.0, 0.0)], [CALL, {**CALL, "name": "Dance1", "code": 4206}])
    assert f"{posture.value} ({body.report().machine})" in text
    assert "37 %" in text
    assert "no answer" in text
    assert "Dance1" in text
    assert "4206" in text


def test_the_picture_of_an_action() -> None:
    """Its name and how far it is."""
    clock = HandClock()
    body = Go2Body(clock.now)
    body.call(1016, {})
    clock.t = 1.5
    assert "Hello  50%" in drawn(body, [(0.0, 0.0)], [])


def test_it_is_drawn_on_standard_error_until_it_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is the log's."""
    over = threading.Event()
    over.set()
    show(Go2Body(HandClock().now), deque([CALL]), "lo, domain 0", over)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Go2, simulated, on lo, domain 0" in shown.err
