"""Log lines on their way to the journal or to a terminal."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.service import logs
from claudiad.service.events import AUDIT_FAILING, REPEATED, TURN, VOICE_FAILED
from claudiad.service.journal import Journal
from claudiad.service.logs import INTERVAL_S, MOST, Output
from claudiad.service.repeats import Repeats
from tests.service.test_journal import Journald, journald

__all__ = ["journald"]

PRIVATE = "ひみつ"


class Written:
    """A handler without a logger around it, and what it has written."""

    def __init__(self, journal: Journal | None = None, *, log_speech: bool = True) -> None:
        self.stream = io.StringIO()
        self.now = 0.0
        self.output = Output(self.stream, journal, log_speech=log_speech, now=lambda: self.now)
        self.logger = logging.Logger("claudiad.x")
        self.logger.addHandler(self.output)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    for handler in logger.handlers:
        if handler not in handlers:
            handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)


def entry(end: Journald) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in end.entry():
        fields.setdefault(name, []).append(value.decode())
    return fields


def test_a_terminal_gets_time_level_and_message() -> None:
    """Plain lines, tracebacks below them."""
    w = Written()
    w.logger.warning("the %s", "disk")
    try:
        raise ValueError("odd")
    except ValueError:
        w.logger.exception("failed")
    assert w.lines[0].split(maxsplit=1)[1] == "WARNING the disk"
    assert w.lines[1].split(maxsplit=1)[1] == "ERROR   failed"
    assert w.lines[-1] == "ValueError: odd"


def test_the_journal_gets_fields(journald: Journald) -> None:
    """Message, priority, where it was logged, and the event's own fields; lists are repeated fields."""
    w = Written(Journal(journald.path))
    extra = {"journal": TURN.fields(CLAUDIA_TURN=7, CLAUDIA_ACTIONS=["StandUp", "Hello"], CLAUDIA_STT_MS=41.25)}
    w.logger.info("turn 7", extra=extra)
    got = entry(journald)
    assert got["MESSAGE"] == ["turn 7"]
    assert got["MESSAGE_ID"] == [TURN.id]
    assert got["PRIORITY"] == ["6"]
    assert got["SYSLOG_IDENTIFIER"] == ["claudiad"]
    assert got["CLAUDIA_TURN"] == ["7"]
    assert got["CLAUDIA_ACTIONS"] == ["StandUp", "Hello"]
    assert got["CLAUDIA_STT_MS"] == ["41.25"]
    assert got["CODE_FILE"] == [__file__]
    assert w.lines == []
    w.output.close()


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, "7"), (logging.INFO, "6"), (logging.WARNING, "4"), (logging.ERROR, "3"), (logging.CRITICAL, "2")],
)
def test_levels_are_the_journals_priorities(journald: Journald, level: int, priority: str) -> None:
    """As `journalctl -p` filters."""
    w = Written(Journal(journald.path))
    w.logger.log(level, "x")
    assert entry(journald)["PRIORITY"] == [priority]
    w.output.close()


def test_a_module_that_knows_no_journal_has_its_event(journald: Journald) -> None:
    """By its template: the id, and the arguments that have names."""
    w = Written(Journal(journald.path))
    w.logger.name = "claudiad.service.audit"
    w.logger.warning("audit log %s cannot be written, records are being lost: %s", "/x", "No space left on device")
    got = entry(journald)
    assert got["MESSAGE_ID"] == [AUDIT_FAILING.id]
    assert got["CLAUDIA_REASON"] == ["No space left on device"]
    w.output.close()


def test_without_a_journal_that_listens_lines_go_to_standard_error(tmp_path: Path) -> None:
    """Each with its priority in front, as systemd reads it from a stream, also when there are several."""
    w = Written(Journal(tmp_path / "none"))
    w.logger.warning("one\ntwo")
    assert w.lines == ["<4>one", "<4>two"]
    w.output.close()


@pytest.mark.parametrize("log_speech", [True, False])
def test_words_that_were_said_stay_out_when_they_are_private(journald: Journald, log_speech: bool) -> None:
    """Neither message nor field nor traceback holds them; what happened, and where, stays."""
    w = Written(Journal(journald.path), log_speech=log_speech)
    w.logger.name = "claudiad.tts.mouth"
    w.logger.warning("voice %s left out %r: %s", "piper", PRIVATE, "no sound")
    try:
        raise KeyError(PRIVATE)
    except KeyError:
        w.logger.exception("turn %d failed; the robot is stopped", 3)
    first, second = entry(journald), entry(journald)
    assert (PRIVATE in str(first)) is log_speech
    assert (PRIVATE in str(second)) is log_speech
    assert first["MESSAGE_ID"] == [VOICE_FAILED.id]
    assert "voice piper left out" in first["MESSAGE"][0]
    assert "KeyError" in second["MESSAGE"][0]
    assert __file__ in second["MESSAGE"][0]
    w.output.close()


def test_a_line_that_repeats_is_counted() -> None:
    """The first few of a kind are shown, whatever their arguments; the rest is one line when the minute is over."""
    w = Written()
    for number in range(MOST + 57):
        w.logger.warning("lost %d", number)
    w.logger.warning("another kind")
    assert len(w.lines) == MOST + 1
    w.now = INTERVAL_S
    w.output.tell_repeats()
    assert w.lines[-1].endswith("WARNING … and 57 more like: lost %d")
    w.output.tell_repeats()
    w.logger.warning("lost %d", 100)
    assert w.lines[-1].endswith("lost 100")
    assert len(w.lines) == MOST + 3


def test_the_count_has_its_own_event(journald: Journald) -> None:
    """So that it is found, and is not taken for one of what it counts."""
    w = Written(Journal(journald.path))
    for _ in range(MOST + 2):
        w.logger.warning("again")
    w.now = INTERVAL_S
    w.output.tell_repeats()
    got = [entry(journald) for _ in range(MOST + 1)]
    assert got[-1]["MESSAGE_ID"] == [REPEATED.id]
    assert got[-1]["CLAUDIA_REPEATED"] == ["2"]
    w.output.close()


def test_the_lines_of_turns_are_never_counted_away() -> None:
    """A bare %s is no kind of line: a hundred turns in a minute are a hundred lines."""
    w = Written()
    for number in range(100):
        w.logger.info("%s", f"turn {number}")
    assert len(w.lines) == 100


def test_lost_lines_are_told_when_the_journal_listens_again(journald: Journald) -> None:
    """With their number, in the place where they are missing."""
    w = Written(Journal(journald.path))
    for number in range(3000):
        w.logger.info("%s", number)
    while True:
        try:
            journald.entry()
        except BlockingIOError:
            break
    w.logger.info("%s", "back")
    assert entry(journald)["MESSAGE"] == ["back"]
    assert "lines were lost here" in entry(journald)["MESSAGE"][0]
    w.output.close()


def test_a_fault_in_a_log_call_is_no_fault_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field with a bad name is logging's to report, not raised into a turn."""
    w = Written(Journal(Path("/nonexistent")))
    handled: list[logging.LogRecord] = []
    monkeypatch.setattr(w.output, "handleError", handled.append)
    w.logger.info("x", extra={"journal": {"lower": "1"}})
    assert len(handled) == 1
    w.output.close()


@pytest.mark.usefixtures("root")
def test_the_journal_is_used_only_when_standard_error_leads_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """JOURNAL_STREAM of another stream: plain lines; of this one: the journal, here with nobody listening."""
    with (tmp_path / "err").open("w+") as stream:
        monkeypatch.setenv("JOURNAL_STREAM", "8:1")
        logs.configure("warning", log_speech=True, stream=stream)
        logging.getLogger("x").info("hidden")
        logging.getLogger("x").warning("plain")
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr(logs, "Journal", lambda: Journal(tmp_path / "none"))
        logs.configure("info", log_speech=True, stream=stream)
        logging.getLogger("x").info("shown")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert lines[0].endswith("WARNING plain")
    assert lines[1:] == ["<6>shown"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(min_value=0, max_value=50)), max_size=200))
def test_repeats_lose_no_count(stream: list[tuple[str, float]]) -> None:
    """Shown plus hidden is what came, and at most so many are shown per kind and interval."""
    repeats: Repeats[str] = Repeats(2, 10.0)
    now, shown, hidden = 0.0, 0, 0
    for kind, pause in stream:
        now += pause
        hidden += sum(count for _, count in repeats.over(now))
        shown += repeats.admit(kind, now)
    hidden += sum(count for _, count in repeats.over(now + 10.0))
    assert shown + hidden == len(stream)


def test_repeats_remember_a_bounded_number_of_kinds() -> None:
    """A template that is different each time cannot fill the memory."""
    repeats: Repeats[int] = Repeats(1, 10.0, kinds=3)
    for kind in range(1000):
        assert repeats.admit(kind, 0.0)
    assert repeats.admit(0, 0.0), "forgotten, so new"
    assert not repeats.admit(0, 0.0)
