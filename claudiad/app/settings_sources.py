"""Where settings come from: a TOML file, the environment, the command line. Each becomes one `Layer`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claudiad.app.schema import ENVIRONMENT_PREFIX, Key, keys, sections
from claudiad.app.toml_lines import KeyPath, key_lines

MAX_FILE_BYTES = 1_000_000

NOT_SETTINGS = frozenset({"CLAUDIA_CONFIG", "CLAUDIA_VOICES"})
"""Variables with meanings of their own: the configuration file, and where voices are kept."""

NOT_SETTINGS_PREFIX = "CLAUDIA_TEST_"
"""Reserved for the tests."""

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(slots=True)
class Layer:
    """Values from one source, nested as in TOML, and a name for the place each was given."""

    place: Callable[[KeyPath], str]
    """Key path → ``file:line``, ``environment CLAUDIA_…`` or ``command line``."""
    base: Path
    """Folder that relative paths given here start from."""
    values: dict[str, Any] = field(default_factory=dict)


def file_layer(path: Path, faults: list[str]) -> Layer:
    """Read a TOML file. What is wrong with the file as a whole goes to `faults`, one line each."""
    shown = one_line(str(path))
    layer = Layer(place=lambda _: shown, base=path.absolute().parent)
    text = _text(path, shown, faults)
    if text is None:
        return layer
    try:
        layer.values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults += _syntax_faults(text, shown, str(error))
        return layer
    except (ValueError, RecursionError) as error:
        # tomllib leaves numbers of thousands of digits and endless nesting to Python.
        faults.append(f"{shown}: cannot be read: {one_line(str(error))}; allowed: the keys of the example file")
        return layer
    lines = key_lines(text)

    def place(key: KeyPath) -> str:
        line = lines.line(key)
        return shown if line is None else f"{shown}:{line}"

    layer.place = place
    return layer


def environment_layer(environ: Mapping[str, str], faults: list[str]) -> Layer:
    """Read ``CLAUDIA_<SECTION>_<KEY>``; a name of that shape that is no setting is a fault."""
    variables = {key.variable: key for key in keys().values()}
    layer = Layer(place=lambda path: f"environment {_variable(path)}", base=Path.cwd())
    for name in sorted(environ):
        if key := variables.get(name):
            layer.values.setdefault(key.section, {})[key.name] = parse_value(environ[name], key)
        elif _looks_like_setting(name):
            guess = did_you_mean(name, variables)
            faults.append(
                f"environment {one_line(name)}: unknown setting{guess}; allowed: {ENVIRONMENT_PREFIX}<SECTION>_<KEY>"
            )
    return layer


def override_layer(overrides: Sequence[str], faults: list[str]) -> Layer:
    """Read ``section.key=value`` arguments; a later one wins over an earlier one."""
    layer = Layer(place=lambda _: "command line", base=Path.cwd())
    for override in overrides:
        dotted, equals, text = override.partition("=")
        path = tuple(part.strip() for part in dotted.split("."))
        if not equals or not all(path):
            faults.append(f"command line: {show(override)} is no setting; allowed: section.key=value")
            continue
        table: Any = layer.values
        for part in path[:-1]:
            inner = table.setdefault(part, {})
            table = inner if isinstance(inner, dict) else {}
        table[path[-1]] = parse_value(text, keys().get(".".join(path)))
    return layer


def parse_value(text: str, key: Key | None) -> Any:
    """TOML value syntax; anything that is none, and anything bare for a text setting, is the text itself."""
    bare = text.strip()
    try:
        document = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return bare
    value = document["value"]
    wants_text = key is not None and key.kind in {"text", "choice"}
    if len(document) > 1 or (wants_text and not isinstance(value, str)):
        return bare
    return value


def one_line(text: str) -> str:
    """`text` with control characters and lone surrogates escaped: what is printed stays one line."""
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        else char
        for char in text
    )


def show(value: object) -> str:
    """A value as it may stand in a fault: one line, at most 60 characters."""
    try:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        text = "a huge number"
    except RecursionError:
        text = "a deeply nested value"
    text = one_line("true" if value is True else "false" if value is False else text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """``, did you mean x?`` for the nearest known name, or nothing when none is near."""
    from rapidfuzz import process, utils  # only a fault pays for this import
    from rapidfuzz.distance import DamerauLevenshtein

    best = process.extractOne(
        wrong[:100],
        list(known),
        scorer=DamerauLevenshtein.normalized_similarity,
        processor=utils.default_process,
        score_cutoff=0.6,
    )
    return f", did you mean {best[0]}?" if best else ""


def _text(path: Path, shown: str, faults: list[str]) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        faults.append(f"{shown}: no such file; allowed: a TOML file, see claudiad check-config --example")
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        faults.append(f"{shown}: cannot be read: {one_line(reason)}; allowed: a readable TOML file")
        return None
    if len(data) > MAX_FILE_BYTES:
        faults.append(f"{shown}: larger than {MAX_FILE_BYTES} bytes; allowed: a TOML file of settings")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(f"{shown}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; allowed: text saved as UTF-8")
        return None


def _syntax_faults(text: str, shown: str, message: str) -> list[str]:
    duplicates = key_lines(text).duplicates if message.startswith("Cannot ") else ()
    if duplicates:
        return [
            f"{shown}:{again.line}: {one_line('.'.join(again.path))}: given twice, first in line {again.first_line};"
            " allowed: each key and each [section] once"
            for again in duplicates
        ]
    position = _POSITION.search(message)
    said = one_line(_POSITION.sub("", message))
    if position and position[1]:
        where = f"{shown}:{position[1]}: column {position[2]}"
    else:
        where = f"{shown}:{text.rstrip().count(chr(10)) + 1}: end of file"
    return [f"{where}: not TOML: {said}; allowed: [section], key = value, text in double quotes, # comment"]


def _variable(path: KeyPath) -> str:
    return (ENVIRONMENT_PREFIX + "_".join(path[:2])).upper()


def _looks_like_setting(name: str) -> bool:
    if name in NOT_SETTINGS or not name.startswith(ENVIRONMENT_PREFIX) or name.startswith(NOT_SETTINGS_PREFIX):
        return False
    section, underscore, _ = name.removeprefix(ENVIRONMENT_PREFIX).partition("_")
    return bool(underscore) or section.lower() in sections()
