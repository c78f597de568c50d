"""`claudiad purity`: one object or report per line of standard input."""

from __future__ import annotations

import io
import json
import sys

import pytest

from claudiad.app.cli import main


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def test_one_object_per_line_with_the_keys_of_the_contract(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every line gets its object, in order, the empty one too."""
    feed(monkeypatch, "はい、立ちます。\n立ちます然后は挨拶します\r\n\nПривет".encode())
    assert main(["purity", "--json"]) == 0
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [o["text"] for o in objects] == ["はい、立ちます。", "立ちます然后は挨拶します", "", "Привет"]
    assert [o["clean"] for o in objects] == ["はい、立ちます。", "立ちます。それから挨拶します", None, None]
    assert [o["pure"] for o in objects] == [True, False, True, False]
    assert objects[1]["findings"] == [{"start": 4, "end": 7, "kind": "chinese", "text": "然后は"}]
    assert all(set(o) == {"text", "pure", "clean", "findings"} for o in objects)


def test_what_is_no_utf8_is_a_finding_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Broken bytes come as U+FFFD, and the rest of the line is judged."""
    feed(monkeypatch, "はい".encode() + b"\xff\xe3\n" + "はい\u2028はい".encode())
    assert main(["purity", "--json"]) == 0
    broken, separated = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert broken["clean"] == "はい"
    assert {f["kind"] for f in broken["findings"]} == {"control"}
    assert separated["clean"] == "はい。はい"


def test_the_report_for_people_says_where_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json: the line, the verdict, each finding in words, and no control character of the text."""
    feed(monkeypatch, "座ります😊\x1b[0m\nこれは担心です".encode())
    assert main(["purity"]) == 0
    out = capsys.readouterr().out
    assert "not pure: 「座ります" in out
    assert "4-5 emoji" in out
    assert "nothing to say" in out
    assert "clauses left out: 1" in out
    assert "\x1b" not in out
