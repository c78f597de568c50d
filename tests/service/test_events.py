"""The kinds of events: their ids, their explanations, and the lines they are told by."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from claudiad.app.journal_fields import event_of
from claudiad.purity.repertoire import is_japanese_kanji
from claudiad.service.events import EVENTS, KNOWN
from tests.fakes.absent import require, without

PACKAGE = Path(event_of.__code__.co_filename).parents[1]
CATALOG = PACKAGE / "data" / "claudiad.catalog"


def entries() -> dict[tuple[str, str], str]:
    """Id and language → text."""
    parts = re.split(r"^-- ([0-9a-f]{32})(?: (\w+))?$", CATALOG.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {(parts[i], parts[i + 1] or "en"): parts[i + 2].strip() for i in range(1, len(parts), 3)}


def test_ids_and_names_are_unique() -> None:
    """And ids are what the journal takes: 32 hexadecimal digits."""
    assert len(EVENTS) > 30
    assert max(Counter(event.id for event in EVENTS).values()) == 1
    assert max(Counter(event.name for event in EVENTS).values()) == 1
    assert all(re.fullmatch("[0-9a-f]{32}", event.id) for event in EVENTS)


def test_every_event_is_explained_in_both_languages_and_nothing_else_is() -> None:
    """Subject, who says it, and a text; the Japanese has no kanji that Japanese has not."""
    found = entries()
    assert set(found) == {(event.id, language) for event in EVENTS for language in ("en", "ja")}
    for (_, language), text in found.items():
        head, _, body = text.partition("\n\n")
        assert re.fullmatch(r"Subject: \S.*\nDefined-By: claudiad", head)
        assert body.strip()
        assert (re.search("[ぁ-ん]", head) is not None) == (language == "ja")
        assert {c for c in text if "\u3400" <= c <= "\u9fff" and not is_japanese_kanji(c)} == set()


def test_the_catalog_names_only_fields_that_exist() -> None:
    """@FIELD@ is replaced by the journal: one that nobody sends would stay as it is."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    for text in entries().values():
        for name in re.findall("@([A-Z_]+)@", text):
            assert re.search(rf"\b{name}\b", source), name


@pytest.mark.real
def test_systemd_takes_the_catalog(tmp_path: Path) -> None:
    """`journalctl --update-catalog` on a root of its own knows every event afterwards."""
    require("journalctl", "systemd")
    folder = tmp_path / "usr/lib/systemd/catalog"
    folder.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(CATALOG, folder)
    command = ["journalctl", f"--root={tmp_path}"]
    update = subprocess.run([*command, "--update-catalog"], check=True, capture_output=True, text=True)
    assert update.stderr == ""
    listed = subprocess.run([*command, "--list-catalog"], check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in listed.splitlines()} == {event.id for event in EVENTS}


@pytest.mark.real
def test_a_japanese_owner_reads_it_in_japanese(tmp_path: Path) -> None:
    """`journalctl -x` shows the text of the terminal's language: both are there, for every event."""
    require("journalctl", "systemd")
    require("localedef", "libc-bin")
    if not Path("/usr/share/i18n/locales/ja_JP").exists():
        without("there is no Japanese locale to make: apt-get install locales")
    subprocess.run(["localedef", "-i", "ja_JP", "-f", "UTF-8", tmp_path / "ja_JP.UTF-8"], check=True)
    for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(CATALOG, tmp_path / "usr/lib/systemd/catalog")
    command = ["journalctl", f"--root={tmp_path}"]
    subprocess.run([*command, "--update-catalog"], check=True)
    kana = re.compile("[ぁ-ん]")
    for language, japanese in (("ja_JP.UTF-8", True), ("C.UTF-8", False)):
        env = os.environ | {"LOCPATH": str(tmp_path), "LC_ALL": language}
        for event in EVENTS:
            shown = subprocess.run([*command, "--dump-catalog", event.id], env=env, check=True, capture_output=True)
            subject = next(line for line in shown.stdout.decode().splitlines() if line.startswith("Subject:"))
            assert bool(kana.search(subject)) is japanese, (language, subject)


def logged() -> set[tuple[str, str]]:
    """Logger and template of every log call in the package."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if isinstance(call.func.value, ast.Name) and call.func.value.id in ("log", "_log"):
                texts = (a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
                found.add((module, next(texts, "")))
    return found


def test_every_line_that_is_known_is_really_logged() -> None:
    """Who rewords a line finds it here: its event must not get lost."""
    assert set(KNOWN) - logged() == set()


def test_known_fields_are_names_the_journal_takes() -> None:
    """And an argument that holds speech is never the name of a field of a log without speech."""
    for (_, template), known in KNOWN.items():
        places = len(re.findall(r"%[^%]", template))
        assert len(known.fields) <= places
        assert all(place < places for place in known.speech)
        assert all(name is None or re.fullmatch("CLAUDIA_[A-Z_]+", name) for name in known.fields)
        assert all(known.fields[i] is None for i in known.speech if i < len(known.fields))
