"""Lines of keys, against tomllib and against documents whose lines are known."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.app.toml_lines import KeyPath, key_lines


def test_every_form_of_key_has_its_line() -> None:
    """Sections, dotted and quoted keys, inline tables and keys after multi-line values are found."""
    text = (
        '# [not.a.section]\na = 1 # b = 2\n[x]\n"q.r" = "[y]"\nm = """\nfake = 1\n"""\nn = [\n  1, # c = 3\n  "]",\n]\n'
        "o.p = {k = 1, l = [{z = 2}]}\n[ x . 'sub' ]\ns = '''\n[t]'''\n"
    )
    tomllib.loads(text)
    assert key_lines(text).lines == {
        ("a",): 2,
        ("x",): 3,
        ("x", "q.r"): 4,
        ("x", "m"): 5,
        ("x", "n"): 8,
        ("x", "o"): 12,
        ("x", "o", "p"): 12,
        ("x", "o", "p", "k"): 12,
        ("x", "o", "p", "l"): 12,
        ("x", "o", "p", "l", "z"): 12,
        ("x", "sub"): 13,
        ("x", "sub", "s"): 14,
    }


def test_windows_line_ends_count_once() -> None:
    """A file with CRLF has the same lines."""
    assert key_lines("\r\n[a]\r\nb = 1\r\n").lines == {("a",): 2, ("a", "b"): 3}


def test_line_of_an_unknown_key_is_that_of_the_table_around_it() -> None:
    """`line` falls back outwards and ends with None."""
    lines = key_lines("\n[a]\n")
    assert lines.line(("a", "b")) == 2
    assert lines.line(("c",)) is None


@pytest.mark.parametrize(
    ("text", "path", "first", "line"),
    [
        ("a = 1\nb = 2\na = 3", ("a",), 1, 3),
        ("[s]\na = 1\n[t]\n[s]", ("s",), 1, 4),
        ("[s]\na.b = 1\n'a'.\"b\" = 2", ("s", "a", "b"), 2, 3),
        ("s = {a = 1, a = 2}", ("s", "a"), 1, 1),
    ],
)
def test_duplicates_name_both_lines(text: str, path: KeyPath, first: int, line: int) -> None:
    """A key or section that stands twice is reported with the first line and the second."""
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    (duplicate,) = key_lines(text).duplicates
    assert (duplicate.path, duplicate.first_line, duplicate.line) == (path, first, line)


def test_tables_in_arrays_may_repeat_their_keys() -> None:
    """`[[x]]` and inline tables of one array are no duplicates of each other."""
    text = "[[x]]\na = 1\n[[x]]\na = 2\n[x.y]\nb = 1\n[[x]]\n[x.y]\nb = 2\n[z]\nl = [{a = 1},\n {a = 2}]\n"
    tomllib.loads(text)
    assert key_lines(text).duplicates == ()


@given(st.text(alphabet="ab.=\"'[]{},#\n\\ 1", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_walked_to_its_end(text: str) -> None:
    """The scanner ends without an exception on anything, and finds every key of what tomllib accepts."""
    found = set(key_lines(text).lines)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(_paths(document, ())) <= found
    assert key_lines(text).duplicates == ()


def _paths(value: Any, path: KeyPath) -> list[KeyPath]:
    if isinstance(value, list):
        return [found for item in value for found in _paths(item, path)]
    if not isinstance(value, dict):
        return []
    return [found for name, item in value.items() for found in [(*path, name), *_paths(item, (*path, name))]]


@dataclass
class _Written:
    """A document being written, with the line of each key."""

    text: str = ""
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def note(self, path: KeyPath) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.text.count("\n") + 1)


_SCALARS = ["1", "-2.5", "true", "1979-05-27 07:32:00", '"a # b"', r'"\"[x]\\"', "'[y] = 2'"]
_LONG = [
    '"""\nk = 1\n[z]\n"""',
    "'''\n'k' = \"\n'''",
    "[\n  1, # ]\n  2,\n]",
    '[["]", \'}\'],\n ["""\n"""]]',
    '"""a"""""',
]


@st.composite
def _documents(draw: st.DrawFn) -> _Written:
    written = _Written()
    names = st.sampled_from(["a", "b-1", "c_d", "é", "x.y", "1", " "])

    def key(name: str) -> str:
        if name.isascii() and name.replace("-", "").replace("_", "").isalnum() and draw(st.booleans()):
            return name
        return f"'{name}'" if draw(st.booleans()) else f'"{name}"'

    def filler() -> None:
        written.text += draw(st.sampled_from(["", "\n", "# k = 1\n", "  # [s]\n\n", "\t"]))

    def inline(path: KeyPath, depth: int) -> None:
        written.text += "{ "
        for index, name in enumerate(draw(st.lists(names, unique=True, max_size=3))):
            written.text += ", " if index else ""
            written.note((*path, name))
            written.text += f"{key(name)} = "
            value((*path, name), depth + 1)
        written.text += " }"

    def value(path: KeyPath, depth: int) -> None:
        if depth < 3 and draw(st.integers(0, 3)) == 0:
            inline(path, depth)
        else:
            written.text += draw(st.sampled_from(_SCALARS + _LONG))

    def body(path: KeyPath) -> None:
        for name in draw(st.lists(names, unique=True, max_size=4)):
            filler()
            dotted = (*path, name, *draw(st.lists(names, max_size=2)))
            written.note(dotted)
            written.text += draw(st.sampled_from([".", " . "])).join(key(part) for part in dotted[len(path) :]) + " = "
            value(dotted, 0)
            written.text += draw(st.sampled_from(["\n", " # note = 1\n"]))

    body(())
    for number in range(draw(st.integers(0, 3))):
        section = (f"section{number}", *draw(st.lists(names, max_size=1)))
        filler()
        written.note(section)
        written.text += "[" + ".".join(key(part) for part in section) + "] # c\n"
        body(section)
    return written


@given(_documents())
@settings(max_examples=150, deadline=None)
def test_lines_are_those_the_document_was_written_with(document: _Written) -> None:
    """For generated TOML every key is found at its line, and no key that is not there."""
    assert set(_paths(tomllib.loads(document.text), ())) == set(document.lines)
    assert key_lines(document.text).lines == document.lines
