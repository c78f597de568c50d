"""What the documents name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")])
_TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
_TARGET = re.compile(r"`make ([a-z-]+)")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    """A promise in docs/safety.md points to a test that is there."""
    named = _TEST.findall(text(ROOT / "docs" / "safety.md"))
    assert len(named) > 30
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in text(ROOT / file)]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_and_target_exists(document: Path) -> None:
    """Relative links lead to files, and `make …` names a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert [link for link in _LINK.findall(text(document)) if not (document.parent / link).exists()] == []
    assert set(_TARGET.findall(text(document))) <= targets


def test_both_readmes_begin_with_the_same_two_commands() -> None:
    """The first code block of each is `make demo` and `make test`, and both name every command there is."""
    from claudiad.app.cli import COMMANDS

    for name in ("README.md", "README.ja.md"):
        page = text(ROOT / name)
        block = page.split("```")[1].split("\n", 1)[1]
        assert re.findall(r"^make \w+", block, re.MULTILINE) == ["make demo", "make test"]
        assert [c for c in COMMANDS if f"`claudiad {c.replace('_', '-')}" not in page] == []


def test_both_readmes_have_every_exit_status() -> None:
    """The tables of exit statuses hold those of every error there is, and what a command ends with without one."""
    from claudiad import errors
    from claudiad.app.claudiactl import REFUSED
    from claudiad.control import client

    found = [one for module in (errors, client) for one in vars(module).values() if isinstance(one, type)]
    statuses = {0, REFUSED, 64, *(one.exit_status for one in found if issubclass(one, errors.ClaudiaError))}
    for name in ("README.md", "README.ja.md"):
        assert {int(status) for status in re.findall(r"^\| (\d+) \|", text(ROOT / name), re.MULTILINE)} == statuses


def test_the_japanese_readme_has_no_kanji_that_japanese_has_not() -> None:
    """Every kanji passes the gate that stands before the voice."""
    from claudiad.purity.repertoire import is_japanese_kanji

    kanji = {c for c in text(ROOT / "README.ja.md") if "\u3400" <= c <= "\u9fff"}
    assert {c for c in kanji if not is_japanese_kanji(c)} == set()
