"""Two hundred configuration files, each wrong in its own way: lines that say what is wrong, exit 78, no traceback."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from claudiad.app import cli
from claudiad.app.example import example_toml
from claudiad.app.schema import Key, keys, sections, toml_value

COUNT = 200
LONGEST_FAULT = 1000
"""Characters: a line that somebody is to read, though it may list all sections or all keys of one."""


@dataclass(frozen=True)
class Malformed:
    """One file, and what has to be in the lines about it."""

    name: str
    content: bytes
    named: str = ""
    one: bool = True
    """It has one fault, so there is one line."""


def _wrong_type(dice: random.Random, key: Key) -> str:
    wrong = {"text": "17", "choice": "3.5", "whole number": '"three"', "number": "[1.0]", "switch": "1", "list": '"x"'}
    return dice.choice([wrong[key.kind], "{ a = 1 }", "1979-05-27", "[[1]]"])


def _wrong_types(dice: random.Random) -> Iterator[Malformed]:
    for key in keys().values():
        text = f"[{key.section}]\n{key.name} = {_wrong_type(dice, key)}\n"
        yield Malformed(f"type-{key.dotted}", text.encode(), f":2: {key.dotted}:")


def _out_of_range(_: random.Random) -> Iterator[Malformed]:
    for key in keys().values():
        if key.kind in ("whole number", "number"):
            for value in ("-1e308", "1e308", "nan") if key.kind == "number" else ("-9_223_372_036_854_775_808",):
                text = f"[{key.section}]\n{key.name} = {value}\n"
                yield Malformed(f"range-{key.dotted}-{value}", text.encode(), f":2: {key.dotted}:")


def _unknown(dice: random.Random) -> Iterator[Malformed]:
    for section in sections():
        name = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz_", k=12))
        yield Malformed(f"key-{section}", f"[{section}]\n{name} = 1\n".encode(), f"{section}.{name}: unknown key")
        yield Malformed(f"section-{section}x", f"[{section}x]\ny = 1\n".encode(), "unknown section")
        yield Malformed(f"flat-{section}", f"{section} = 1\n".encode(), f":1: {section}:")


def _broken_syntax(dice: random.Random) -> Iterator[Malformed]:
    for number, line in enumerate(
        ("[audio", "audio]", "= 1", "[audio]\nx", "[audio]\nx =", "[audio]\nx = 'a", '[a]\nx = "\\q"', "[a]\nx = 01",
         "[a]\nx = [1,", "[a]\nx = {", "[a]\nx = tru", "x = 1\nx = 2", "[a]\n[a]", '"""', "\x00", "[a]\nx = 1 2",
         "[audio]\r[stt]", "[a.b]\n[a]\nb = 1", "a.b = 1\na = 2", "[" * 5000, "x = " + "[" * 5000, "x = " + "9" * 5000)
    ):  # fmt: skip
        yield Malformed(f"syntax-{number}", line.encode(), one=False)
    whole = example_toml().encode()
    for number in range(40):
        # One byte changed into what TOML never allows there, at any place: in a comment it is a fault as well.
        at = dice.randrange(len(whole))
        yield Malformed(f"byte-{number}", whole[:at] + b"\x01" + whole[at + 1 :], one=False)


def _binary(dice: random.Random) -> Iterator[Malformed]:
    for number in range(20):
        yield Malformed(f"binary-{number}", dice.randbytes(dice.randrange(4, 5000)) + b"\xff", one=False)
    yield Malformed("utf-16", "[audio]\nmicrophone = 'x'\n".encode("utf-16"))
    yield Malformed("huge", b"#" * 1_000_001, "larger than")
    yield Malformed("huge-value", b'[audio]\nmicrophone = "' + b"x" * 900_000 + b'\\u0001"\n', "audio.microphone")
    yield Malformed("many-keys", "".join(f"k{n} = 1\n" for n in range(300)).encode(), "unknown section", one=False)


@cache
def malformed() -> tuple[Malformed, ...]:
    """The same 200 every time; of each kind some."""
    dice = random.Random(20_26)
    kinds: tuple[Callable[[random.Random], Iterator[Malformed]], ...] = (
        _unknown, _broken_syntax, _binary, _wrong_types, _out_of_range,
    )  # fmt: skip
    made = [list(kind(dice)) for kind in kinds]
    chosen = made[0] + made[1] + made[2]
    rest = made[3] + made[4]
    return tuple(chosen + dice.sample(rest, COUNT - len(chosen)))


def test_there_are_two_hundred() -> None:
    """Of different names; and the example, which all are compared with, is sound."""
    assert len({each.name for each in malformed()}) == COUNT


@pytest.mark.parametrize("each", malformed(), ids=lambda each: each.name)
def test_a_malformed_file_is_said_in_lines(each: Malformed, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 78; every line names the file and what is allowed; one fault is one line, and it names the key."""
    path = tmp_path / "claudiad.toml"
    path.write_bytes(each.content)
    assert cli.main(["check-config", str(path)]) == 78
    got = capsys.readouterr()
    lines = got.err.splitlines()
    assert got.out == ""
    assert lines
    assert len(lines) == 1 or not each.one
    for line in lines:
        assert line.startswith(f"{path}:")
        assert "; allowed: " in line
        assert line.isprintable()
        assert len(line) < LONGEST_FAULT + len(str(path))
    assert each.named in got.err


@pytest.mark.parametrize("each", malformed()[::50], ids=lambda each: each.name)
def test_the_daemon_refuses_it_as_a_process(each: Malformed, tmp_path: Path) -> None:
    """`claudiad run` does not start: 78, which systemd does not restart, and the same lines on standard error."""
    path = tmp_path / "claudiad.toml"
    path.write_bytes(each.content)
    env = {k: v for k, v in os.environ.items() if not k.startswith("CLAUDIA_")}
    done = subprocess.run(
        [sys.executable, "-m", "claudiad", "run", "--config", str(path)],
        capture_output=True, text=True, check=False, env=env, timeout=120,
    )  # fmt: skip
    assert done.returncode == 78
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(str(path))


def test_the_values_these_are_made_from_are_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key with its default is accepted: what is refused above is refused for its value."""
    path = tmp_path / "claudiad.toml"
    by_section = "".join(
        f"[{section}]\n"
        + "".join(f"{k.name} = {toml_value(k.default)}\n" for k in keys().values() if k.section == section)
        for section in sections()
    )
    path.write_text(by_section, encoding="utf-8")
    assert cli.main(["check-config", str(path)]) == 0
    assert capsys.readouterr().err == ""
