"""The example file and the manual say what the code does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app import example
from claudiad.app.example import EXAMPLE_FILE, MANUAL_FILE, example_toml, main, with_tables
from claudiad.app.schema import keys, sections, toml_value
from claudiad.app.settings import load
from claudiad.config import Settings


def test_the_shipped_example_is_the_generated_one() -> None:
    """claudiad.example.toml is up to date."""
    assert EXAMPLE_FILE.read_text(encoding="utf-8") == example_toml()


def test_the_shipped_example_is_exactly_the_defaults() -> None:
    """Loading the example changes nothing, and no key is missing from it."""
    assert load(EXAMPLE_FILE, {}) == Settings()
    written = tomllib.loads(example_toml())
    assert {section: set(table) for section, table in written.items()} == {
        section: set(table) for section, table in Settings().model_dump().items()
    }


def test_the_manual_has_the_generated_tables() -> None:
    """docs/configuration.md is up to date."""
    manual = MANUAL_FILE.read_text(encoding="utf-8")
    assert manual == with_tables(manual)


def test_every_key_is_explained_with_what_is_allowed() -> None:
    """No key and no section is without words, in either text."""
    manual = with_tables(f"{example.BEGIN}{example.END}")
    for key in keys().values():
        assert key.description
        assert f"# Allowed: {key.allowed}.\n{key.name} = " in example_toml()
        assert f"| `{key.name}` | `{toml_value(key.default)}` | {key.allowed} | {key.description} |" in manual
    for section, about in sections().items():
        assert about
        assert f"# {about}\n[{section}]\n" in example_toml()
        assert f"### `[{section}]`\n\n{about}\n" in manual


@pytest.mark.parametrize(
    ("dotted", "allowed"),
    [
        ("stt.threads", "whole number 1 to 32"),
        ("robot.max_speed", "number above 0.0 to 1.0"),
        ("log.level", '"debug", "info", "warning", "error"'),
        ("privacy.log_speech", "true or false"),
        ("stt.model", "text"),
        ("wake.phrases", "list of texts"),
    ],
)
def test_what_is_allowed_in_words(dotted: str, allowed: str) -> None:
    """Each kind of field is put into words with its range."""
    assert keys()[dotted].allowed == allowed


@given(st.one_of(st.text(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False), st.booleans()))
def test_values_survive_being_written(value: str | int | float | bool) -> None:
    """What toml_value writes, tomllib reads back, with its type."""
    back = tomllib.loads(f"value = {toml_value(value)}")["value"]
    assert (back, type(back)) == (value, type(value))


def test_lists_survive_being_written() -> None:
    """A tuple of texts is written as an array."""
    assert tomllib.loads(f"value = {toml_value(('a', chr(34), 'はい。'))}") == {"value": ["a", '"', "はい。"]}


def test_write_renews_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--write replaces the example and only the marked part of the manual."""
    monkeypatch.setattr(example, "EXAMPLE_FILE", tmp_path / "e.toml")
    monkeypatch.setattr(example, "MANUAL_FILE", tmp_path / "m.md")
    (tmp_path / "m.md").write_text(f"before\n{example.BEGIN}\nstale words\n{example.END}\nafter\n")
    assert main(["--write"]) == 0
    assert (tmp_path / "e.toml").read_text(encoding="utf-8") == example_toml()
    manual = (tmp_path / "m.md").read_text(encoding="utf-8")
    assert manual.startswith("before\n")
    assert manual.endswith("\nafter\n")
    assert "stale words" not in manual


def test_a_manual_without_markers_is_refused() -> None:
    """Nothing is written where the generated part has no place."""
    with pytest.raises(ValueError, match="lacks the lines"):
        with_tables("no markers")


def test_the_command_prints_or_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments the example; with a wrong one its usage and status 64."""
    assert main([]) == 0
    assert capsys.readouterr().out == example_toml()
    assert main(["--wirte"]) == 64
    assert capsys.readouterr().err.startswith("usage: ")
