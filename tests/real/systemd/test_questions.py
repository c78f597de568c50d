"""The questions of docs/operating.md, each asked of a daemon that was spoken to, as its owner would type it."""

from __future__ import annotations

import re
from typing import Final

import pytest

from claudiad.service.events import EVENTS
from tests.real.systemd.conftest import ROOT
from tests.real.systemd.container import Container
from tests.real.systemd.robot import SIT, Robot

pytestmark = pytest.mark.real

_ROW: Final = re.compile(r"^\| (.+?) \| (`.+) \|$", re.MULTILINE)
_ID: Final = re.compile(r"MESSAGE_ID=([0-9a-f]{32})")


def questions() -> dict[str, list[str]]:
    """Question → its commands, from the table."""
    page = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    section = page.partition("## Ten questions an owner asks")[2].partition("\n## ")[0]
    return {asked: re.findall(r"`([^`]+)`", cell.replace("\\|", "|")) for asked, cell in _ROW.findall(section)}


def test_each_question_has_its_answer(daemon: Container, robot: Robot) -> None:
    """Every command ends with 0, and prints what the journal has; nothing is needed that claudiad does not bring."""
    daemon.hear("/said/sit.wav")
    daemon.until(robot.is_told(SIT), "it was not told to sit")
    daemon.run("claudiactl", "ask", "宙返りして", check=False)
    daemon.run("claudiactl", "ask", "止まって")
    asked = questions()
    assert len(asked) == 10
    ids = [entry.get("MESSAGE_ID") for entry in daemon.journal("--since", "today")]
    answers: dict[str, str] = {}
    for command in (command for commands in asked.values() for command in commands):
        said = daemon.run("sh", "-c", f"{command.removeprefix('sudo ')}; echo status $?").splitlines()
        assert said.pop() == "status 0", f"{command}: {said}"
        lines = [line for line in said if line.strip() and not line.startswith("-- ")]
        expected = sum(ids.count(each) for each in _ID.findall(command)) if "MESSAGE_ID" in command else 1
        assert len(lines) >= expected, f"{command}: {said}"
        answers[command] = "\n".join(lines)
    what = {question: "\n".join(answers[command] for command in commands) for question, commands in asked.items()}
    assert "座ってください" in what["What did it hear today?"]
    assert "座ってください" in what["What did it do and answer, turn by turn?"]
    assert re.match(r"[0-9.]+ ms: .*first move", what["Which turns were slowest to move?"])
    assert "refused" in what["What was refused, and why?"]
    assert "止まる" in what["When was it stopped?"]
    assert " ready in " in what["What became of the last upgrade, and when was it started?"]
    assert "turns, " in what["Is everything well, and how has it done since yesterday?"]


def test_each_event_that_is_asked_for_is_one() -> None:
    """A MESSAGE_ID that no event has would be answered with nothing, for ever."""
    named = [each for commands in questions().values() for command in commands for each in _ID.findall(command)]
    assert len(named) == 8
    assert set(named) <= {event.id for event in EVENTS}


def test_no_question_needs_what_a_computer_may_lack() -> None:
    """Programs: those of systemd and claudiad, and what every Debian has."""
    programs = {
        part.split()[0] for commands in questions().values() for command in commands for part in command.split(" | ")
    }
    assert programs == {"journalctl", "systemctl", "claudiactl", "sudo", "sed", "sort", "head"}
