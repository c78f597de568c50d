"""The tables: what a malformed one is told, and what the shipped ones promise each other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from claudiad.errors import DataError
from claudiad.purity.filter import purify
from claudiad.purity.repertoire import is_clean, is_japanese_kanji
from claudiad.purity.tables import (
    chinese,
    rare_words,
    read_leanings,
    read_rows,
    read_variants,
    read_verbs,
    read_words,
    spoken,
    variants,
    vocabulary,
)


def test_what_the_tables_say_is_itself_clean() -> None:
    """No replacement brings in a character that the filter would refuse."""
    said = [*chinese().words.values(), *chinese().whole.values(), *spoken().units.values(), *spoken().words.values()]
    assert [text for text in said if not all(map(is_clean, text))] == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("word\t然后", "t.tsv:2: 3 columns"),
        ("wort\t然后\tそれから", "t.tsv:2: unknown kind 'wort'"),
        ("word\t\tそれから", "t.tsv:2: the written form is empty"),
        ("word\t但是\tだが", "t.tsv:2: '但是' is there already"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(row: str, fault: str) -> None:
    """A fault in a table is a DataError with file and line."""
    with pytest.raises(DataError, match=f"^{fault}"):
        read_rows("t.tsv", f"word\t但是\tでも\n{row}\n", ("word",))


@pytest.mark.parametrize("table", [chinese().words, chinese().whole, chinese().joins, spoken().words, spoken().letters])
def test_what_the_tables_say_stays_as_it_is(table: Mapping[str, str]) -> None:
    """What is said instead of a word is pure itself: no table needs another one behind it."""
    assert [said for said in table.values() if said and not purify(f"{said}です").pure] == []


def test_every_verb_has_clean_forms_for_what_follows_it() -> None:
    """します, して, した, する and しない behind a Chinese verb give its Japanese forms."""
    assert [purify(f"跳舞{tail}").clean for tail in ("します", "して", "した", "する", "しないで", "しながら")] == [
        "踊ります", "踊って", "踊った", "踊る", "踊らないで", "踊りながら",
    ]  # fmt: skip
    forms = [form for verb in chinese().verbs.values() for form in verb]
    assert [form for form in forms if not purify(form).pure] == []


def test_no_word_of_the_vocabulary_is_rare_japanese() -> None:
    """The Chinese vocabulary and the rare Japanese words have nothing in common, and both are in Japanese kanji."""
    assert vocabulary() & rare_words() == set()
    assert all(all(map(is_japanese_kanji, word)) for word in vocabulary() | rare_words())


def test_japanese_shapes_are_japanese() -> None:
    """Each variant leads from a character that Japanese has not to one that it has."""
    assert all(is_japanese_kanji(new) and not is_japanese_kanji(old) for old, new in variants().items())


def test_a_word_that_differs_in_case_only_is_there_already() -> None:
    """Words are looked up in lower case: of two rows one would silently win."""
    with pytest.raises(DataError, match=r"^s\.tsv:2: 'ok' is there already"):
        read_rows("s.tsv", "word\tOK\tオーケー\nword\tok\tオッケー\n", ("word",), folded=("word",))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("一\t1.5\t2", "log odds are whole numbers"),
        ("犬\t1\t2", "'犬' is there already"),
        ("一\t1", "3 columns"),
    ],
)
def test_a_malformed_row_of_log_odds_is_named_by_its_line(row: str, fault: str) -> None:
    """A fault in the generated table of kanji, a repeated one among them, is a DataError with file and line."""
    with pytest.raises(DataError, match=rf"^k\.tsv:2: {fault}"):
        read_leanings("k.tsv", f"犬\t-3\t4\n{row}\n")


@pytest.mark.parametrize("forms", ["座り 座って", "座り 座って 座る 座らない 座れ", "座り 座って  座らない"])
def test_a_verb_without_its_four_forms_is_named_by_its_line(forms: str) -> None:
    """A verb needs four forms, none of them empty; rows of other kinds are no verbs."""
    with pytest.raises(DataError, match=r"^c\.tsv:2: '坐下': stem"):
        read_verbs("c.tsv", f"word\t但是\tでも\nverb\t坐下\t{forms}\n")


@pytest.mark.parametrize(
    ("row", "fault"),
    [("电池\t電", "one character"), ("机\t", "one character"), ("气\t気", "'气' is there already")],
)
def test_a_malformed_shape_is_named_by_its_line(row: str, fault: str) -> None:
    """Each character has one Japanese shape, of one character."""
    with pytest.raises(DataError, match=rf"^v\.tsv:2: {fault}"):
        read_variants("v.tsv", f"气\t気\n{row}\n")


def test_a_repeated_word_is_named_by_its_line() -> None:
    """A list of words holds nothing twice; comments and empty lines are no words."""
    with pytest.raises(DataError, match=r"^w\.txt:4: '担心' is there already"):
        read_words("w.txt", "# words\n担心\n\n担心\n")
