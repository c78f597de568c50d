"""`claudiad report` as it is called."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import cmd_report
from claudiad.app.ledger import Step, TurnRecord
from claudiad.errors import DataError
from claudiad.service.audit import AuditLog
from claudiad.types import Action


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three turns, one of them long ago."""
    log = AuditLog(tmp_path / "audit", 100_000, 3, log_speech=True)
    sit = (Step(Action("Sit", 1009), "座る", "done"),)
    times = {"stt": 40.0, "decide": 0.2, "speech_end_to_dispatch": 380.0}
    log.write(TurnRecord(1, "2001-01-01T12:00:00+09:00", route="hotpath", steps=sit, timings_ms=times).to_json())
    log.write(TurnRecord(2, "2999-01-01T12:00:00+09:00", route="hotpath", steps=sit, timings_ms=times).to_json())
    log.write(TurnRecord(3, "2999-01-01T12:01:00+09:00", dropped="silence").to_json())
    log.close()
    return tmp_path / "audit"


def run(folder: Path, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    cmd_report.add_parser(parser.add_subparsers(required=True))
    config = folder.parent / "claudiad.toml"
    if not config.exists():
        config.write_text(f'[audit]\ndirectory = "{folder}"\n', encoding="utf-8")
    args = parser.parse_args(["report", "--config", str(config), *argv])
    return int(args.run(args))


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_it_is_one_json_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json`: one line; `--since` leaves out what is older; damaged lines are counted."""
    with (folder / "audit.jsonl").open("a") as file:
        file.write("nonsense\n")
    assert run(folder, "--json") == 0
    found = printed(capsys)
    assert (found["turns"], found["corrupt"], found["hit_rate"]) == (3, 1, 1.0)
    assert run(folder, "--json", "--since", "2020-01-01") == 0
    assert printed(capsys)["turns"] == 2


def test_people_get_a_table(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Hit rate, times and counts, each in words."""
    monkeypatch.setenv("COLUMNS", "120")
    assert run(folder) == 0
    out = capsys.readouterr().out
    assert "3 turns" in out
    assert "understood without a model: 2 of 2 (100%)" in out
    assert "speech → first command" in out
    assert "380" in out
    assert "silence" in out


def test_an_empty_log_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """No turns yet, none since then, or switched off: each is another line, and no failure."""
    empty = tmp_path / "none"
    (tmp_path / "claudiad.toml").write_text(f'[audit]\ndirectory = "{empty}"\n', encoding="utf-8")
    assert run(empty) == 0
    assert f"no turns yet in {empty}: start the daemon" in capsys.readouterr().err
    assert run(empty, "--since", "today") == 0
    assert "no turn since" in capsys.readouterr().err
    assert run(empty, "--set", "audit.enabled=false") == 0
    assert "audit.enabled = true" in capsys.readouterr().err
    assert run(empty, "--json") == 0
    assert printed(capsys)["turns"] == 0


def test_a_time_that_is_none_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a wrong command line, with what is allowed."""
    with pytest.raises(SystemExit):
        run(folder, "--since", "soon")
    assert "'soon' is no time; allowed: today, yesterday" in capsys.readouterr().err


def test_a_log_that_may_not_be_read_is_one_line(folder: Path) -> None:
    """Which folder, and how to read it."""
    (folder / "audit.jsonl").unlink()
    (folder / "audit.jsonl").mkdir()
    with pytest.raises(DataError, match="read it as the daemon's user"):
        run(folder)
