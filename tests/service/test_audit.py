"""The audit log: bounded, private when asked, and never in the way of a turn."""

from __future__ import annotations

import errno
import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claudiad.app.ledger import RefusedStep, Step, TurnRecord
from claudiad.service.audit import TEXT_WITHOUT_SPEECH, AuditLog, read, without_speech
from claudiad.types import Action, Refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "claudia"


@pytest.fixture
def audit(folder: Path) -> Iterator[AuditLog]:
    log = AuditLog(folder, max_bytes=10_000, keep=3, log_speech=True)
    yield log
    log.close()


def test_what_is_written_is_read_back_in_order(audit: AuditLog, folder: Path) -> None:
    """One line per record, at once on disk, Japanese kept as it is."""
    for number in range(3):
        assert audit.write({"turn": number, "transcript": "立って\n挨拶\u2028して"})
        assert (folder / "audit.jsonl").read_bytes().count(b"\n") == number + 1
    assert [record["turn"] for record in read(folder)] == [0, 1, 2]
    assert next(read(folder))["transcript"] == "立って\n挨拶\u2028して"
    assert "立って" in (folder / "audit.jsonl").read_text(encoding="utf-8")


def test_only_the_owner_may_read_it(audit: AuditLog, folder: Path) -> None:
    """The directory is made 0700, the file 0600, whatever the umask."""
    before = os.umask(0)
    try:
        audit.write({"turn": 1})
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600


def test_a_file_open_to_others_is_closed_to_them(audit: AuditLog, folder: Path) -> None:
    """A file that was there with wider permissions is narrowed."""
    folder.mkdir(parents=True)
    (folder / "audit.jsonl").touch(mode=0o644)
    audit.write({"turn": 1})
    assert stat.S_IMODE((folder / "audit.jsonl").stat().st_mode) == 0o600


def test_it_is_bounded(audit: AuditLog, folder: Path) -> None:
    """Never more than keep rotated files and the current one, none above max_bytes; the newest records survive."""
    for number in range(400):
        assert audit.write({"turn": number, "reply": "わ" * 50})
    files = sorted(path.name for path in folder.iterdir())
    assert files == ["audit.1.jsonl", "audit.2.jsonl", "audit.3.jsonl", "audit.jsonl"]
    assert all(path.stat().st_size <= 10_000 for path in folder.iterdir())
    turns = [record["turn"] for record in read(folder)]
    assert turns == list(range(turns[0], 400))
    assert 0 < turns[0] < 300


def test_a_smaller_keep_removes_what_is_too_many(folder: Path) -> None:
    """Files of an earlier, larger keep go with the next rotation; foreign files stay."""
    folder.mkdir(parents=True)
    for name in ("audit.2.jsonl", "audit.9.jsonl", "audit.x.jsonl", "latch"):
        (folder / name).touch()
    audit = AuditLog(folder, max_bytes=100, keep=1, log_speech=True)
    for number in range(9):
        audit.write({"turn": number, "reply": "x" * 30})
    audit.close()
    assert sorted(path.name for path in folder.iterdir()) == ["audit.1.jsonl", "audit.jsonl", "audit.x.jsonl", "latch"]


def test_it_continues_after_a_restart(folder: Path) -> None:
    """A new writer appends and counts what is already there towards the bound."""
    for number in range(4):
        audit = AuditLog(folder, max_bytes=120, keep=5, log_speech=True)
        audit.write({"turn": number, "reply": "x" * 30})
        audit.close()
    assert [record["turn"] for record in read(folder)] == [0, 1, 2, 3]
    assert (folder / "audit.1.jsonl").exists()


@pytest.mark.parametrize(
    "torn", [b'{"turn": 1, "tran', b"\x00\x00\x00", b'{"turn": 1, "t": "\xe3\x81', b"[1]\n", b"7\n"]
)
def test_a_torn_line_costs_only_itself(audit: AuditLog, folder: Path, torn: bytes) -> None:
    """After a crash the next record starts a new line, and reading passes over the wreck."""
    audit.write({"turn": 0})
    audit.close()
    with (folder / "audit.jsonl").open("ab") as file:
        file.write(torn)
    assert list(read(folder)) == [{"turn": 0}]
    audit.write({"turn": 2})
    assert list(read(folder)) == [{"turn": 0}, {"turn": 2}]


def test_reading_what_is_not_there(folder: Path) -> None:
    """No directory, no records."""
    assert list(read(folder)) == []


def test_a_file_moved_away_is_made_again(audit: AuditLog, folder: Path) -> None:
    """Removing or rotating the file from outside loses no later record."""
    audit.write({"turn": 0})
    (folder / "audit.jsonl").rename(folder / "audit.1.jsonl")
    audit.write({"turn": 1})
    (folder / "audit.jsonl").unlink()
    audit.write({"turn": 2})
    assert [record["turn"] for record in read(folder)] == [0, 2]
    assert audit.dropped == 0


def test_a_full_disk_is_one_warning_and_then_recovers(
    audit: AuditLog, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Records are lost and counted, the file keeps whole lines, and it goes on when there is room again."""
    audit.write({"turn": 0})
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:5]))
    assert [audit.write({"turn": number}) for number in (1, 2, 3)] == [False, False, False]
    monkeypatch.setattr(os, "write", real)
    assert audit.write({"turn": 4})
    assert audit.dropped == 3
    assert (folder / "audit.jsonl").read_bytes() == b'{"turn":0}\n{"turn":4}\n'
    first, second = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert "No space left" in first.getMessage()
    assert "3 records were lost" in second.getMessage()


def test_an_unwritable_directory_does_not_stop_a_turn(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file where the directory should be: one warning, counted losses, and recovery once it is gone."""
    (tmp_path / "state").touch()
    audit = AuditLog(tmp_path / "state", 10_000, 1, log_speech=True)
    assert [audit.write({}), audit.write({})] == [False, False]
    assert (audit.dropped, len(caplog.records)) == (2, 1)
    (tmp_path / "state").unlink()
    assert audit.write({"turn": 1})
    audit.close()
    audit.close()


def test_a_failing_rotation_does_not_stop_a_turn(
    audit: AuditLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error while files are renamed is a lost record, not an exception, and nothing written is lost."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    written = [audit.write({"turn": number, "reply": "x" * 900}) for number in range(12)]
    assert written == [True] * 10 + [False] * 2
    monkeypatch.undo()
    assert audit.write({"turn": 12})
    assert [record["turn"] for record in read(folder)] == [*range(10), 12]


@pytest.mark.parametrize("path", ["link", "pipe"])
def test_it_writes_only_to_an_ordinary_file(audit: AuditLog, folder: Path, path: str) -> None:
    """A symbolic link or a pipe in the file's place is not followed."""
    folder.mkdir(parents=True)
    if path == "link":
        (folder / "target").touch()
        (folder / "audit.jsonl").symlink_to("target")
    else:
        os.mkfifo(folder / "audit.jsonl")
    assert not audit.write({"turn": 1})
    assert audit.dropped == 1


@pytest.mark.parametrize("record", [{"x": object()}, {"x": float("nan")}, {"x": b"1"}, {"x": "y" * 10_000}, {(1,): 1}])
def test_a_record_that_cannot_be_written_is_lost_and_counted(audit: AuditLog, folder: Path, record: Any) -> None:
    """What JSON has no form for, or what is larger than a file, does not raise and leaves no half line."""
    assert not audit.write(record)
    assert audit.dropped == 1
    assert audit.write({"turn": 1})
    assert list(read(folder)) == [{"turn": 1}]


def test_text_without_utf8_is_kept_as_an_escape(audit: AuditLog, folder: Path) -> None:
    """A lone surrogate survives as its JSON escape."""
    assert audit.write({"text": "a\udc80い"})
    assert list(read(folder)) == [{"text": "a\udc80い"}]


def test_private_speech_leaves_what_was_done(folder: Path) -> None:
    """With log_speech off a turn keeps numbers, routes, actions and times; every spoken text is null."""
    turn = TurnRecord(
        turn=1,
        started="2026-11-20T09:00:00+09:00",
        transcript="秘密",
        reading="ヒミツ",
        route="hotpath",
        kind="action",
        rule="秘密",
        steps=(Step(Action("move", 1008, {"x": 0.3}), "歩く", "done"),),
        refused=(RefusedStep(Refusal("front_flip", 1030, "危ない。"), "前転"),),
        reply="秘密",
        spoken="秘密",
        timings_ms={"decide": 0.1},
    )
    audit = AuditLog(folder, 10_000, 1, log_speech=False)
    audit.write(turn.to_json())
    audit.close()
    expected = turn.to_json() | dict.fromkeys(("transcript", "reading", "rule", "reply", "spoken"))
    assert list(read(folder)) == [expected]
    assert "秘密" not in (folder / "audit.jsonl").read_text(encoding="utf-8")


_NAMES = st.sampled_from(["text", "transcript", "reply", "later_field", *sorted(TEXT_WITHOUT_SPEECH)])
_RECORDS = st.recursive(
    st.dictionaries(_NAMES, st.one_of(st.just("秘密"), st.integers(), st.booleans(), st.none())),
    lambda inner: st.dictionaries(_NAMES, st.one_of(inner, st.lists(st.one_of(inner, st.just("秘密"))))),
    max_leaves=8,
)


@given(_RECORDS)
@settings(max_examples=60, deadline=None)
def test_private_speech_at_any_depth(record: dict[str, Any]) -> None:
    """Text stays only below a field that is known to hold no speech, also in fields nobody thought of yet."""

    def strings(value: Any, name: str) -> Iterator[str]:
        if isinstance(value, dict):
            for inner, item in value.items():
                yield from strings(item, inner)
        elif isinstance(value, list):
            for item in value:
                yield from strings(item, name)
        elif isinstance(value, str):
            yield name

    assert set(strings(without_speech(record), "")) <= TEXT_WITHOUT_SPEECH
    assert without_speech(record).keys() == record.keys()


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(max_size=5), _JSON, max_size=3), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_comes_back_unchanged(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    """Whatever records are written, the same are read."""
    folder = tmp_path / "any"
    (folder / "audit.jsonl").unlink(missing_ok=True)
    audit = AuditLog(folder, 1_000_000, 1, log_speech=True)
    assert all(audit.write(record) for record in records)
    audit.close()
    assert list(read(folder)) == [json.loads(json.dumps(record)) for record in records]
