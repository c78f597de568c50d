"""Load the settings: defaults < file < environment < command line; every fault found, each in one line.

A fault reads ``file:line: section.key: what is wrong; allowed: …``; for the environment and the command
line the source stands in place of ``file:line``. A value is judged where it was given, also when a later
source overrides it: a file must be right by itself.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from claudiad.app.schema import Key, keys, sections
from claudiad.app.settings_checks import Finding, resolve_paths, verify
from claudiad.app.settings_sources import (
    Layer,
    did_you_mean,
    environment_layer,
    file_layer,
    one_line,
    override_layer,
    show,
)
from claudiad.app.toml_lines import KeyPath
from claudiad.config import Settings
from claudiad.errors import ConfigError

SYSTEM_FILE = Path("/etc/claudia/claudiad.toml")

_RANGE_ERRORS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})


def load(path: Path | None, environ: Mapping[str, str], overrides: Sequence[str] = ()) -> Settings:
    """Settings from all sources, with relative paths made absolute.

    `path` None means `default_file`. `overrides` are ``section.key=value`` in TOML value syntax, bare words
    being text. Raises `ConfigError` with every fault of every source.
    """
    faults: list[str] = []
    file = default_file(environ, SYSTEM_FILE) if path is None else path
    layers = [] if file is None else [file_layer(file, faults)]
    layers += [environment_layer(environ, faults), override_layer(overrides, faults)]

    merged: dict[str, dict[str, Any]] = {}
    giver: dict[str, Layer] = {}
    wrong: set[str] = set()
    for layer in layers:
        values, bad = _judge(layer, faults)
        wrong |= bad
        for section, table in values.items():
            merged.setdefault(section, {}).update(table)
            giver.update({f"{section}.{name}": layer for name in table})

    settings = Settings.model_validate(merged)
    bases = {dotted: layer.base for dotted, layer in giver.items()}
    settings = resolve_paths(settings, bases)
    fallback = "settings" if file is None else one_line(str(file))
    # A rule about a key that is wrong by itself would blame its default.
    findings = (finding for finding in verify(settings) if wrong.isdisjoint(finding.keys))
    faults.extend(_finding_line(finding, giver, fallback) for finding in findings)
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: _line_of(fault, fallback)))
    return settings


def default_file(environ: Mapping[str, str], system_file: Path = SYSTEM_FILE) -> Path | None:
    """``$CLAUDIA_CONFIG``, the system's file or the user's, the first there is; None: defaults only."""
    if named := environ.get("CLAUDIA_CONFIG"):
        return Path(named)
    home = environ.get("HOME")
    config_home = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    candidates = [system_file, *([Path(config_home) / "claudia" / "claudiad.toml"] if config_home else [])]
    return next((candidate for candidate in candidates if _present(candidate)), None)


def check_config(path: Path) -> int:
    """``claudiad check-config F``: the file by itself; faults to standard error. Returns the exit status."""
    try:
        load(path, environ={})
    except ConfigError as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return error.exit_status
    print(f"ok: {path}")
    return 0


def _line_of(fault: str, file: str) -> float:
    """Where in the file a fault is: faults are shown in the order a person reads it, other sources after it."""
    match = re.match(r"(\d+): ", fault.removeprefix(f"{file}:"))
    return int(match[1]) if match else math.inf


def _present(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # Forbidden to look: opening it will say so, in a fault, instead of silently using defaults.
        return True
    return True


def _judge(layer: Layer, faults: list[str]) -> tuple[dict[str, dict[str, Any]], set[str]]:
    """What is sound in a layer, and the dotted keys that are not; the reasons go to `faults`."""
    values = {section: _strict(table) for section, table in layer.values.items()}
    wrong: set[str] = set()
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            path = tuple(str(part) for part in detail["loc"][:2])
            faults.append(_fault(layer, path, detail["type"], detail["input"]))
            wrong.add(".".join(path))
            table = values.get(path[0])
            if len(path) > 1 and isinstance(table, dict):
                table.pop(path[1], None)
            else:
                values.pop(path[0], None)
    return values, wrong


def _strict(table: object) -> Any:
    """The one place where TOML meets the strict models: its arrays are lists, theirs are tuples.

    Whole numbers for fractions need no help: pydantic takes an int for a float even when strict.
    """
    if not isinstance(table, dict):
        return table
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def _fault(layer: Layer, path: KeyPath, error: str, given: object) -> str:
    dotted = ".".join(path)
    place = layer.place(path)
    if error == "extra_forbidden":
        return f"{place}: {one_line(dotted)}: {_unknown(path)}"
    key = keys().get(dotted)
    if key is None:
        return f"{place}: {dotted}: {_kind(given)} instead of a section; allowed: [{dotted}] and keys below it"
    return f"{place}: {dotted}: {_wrong(error, given, key)}; allowed: {key.allowed}"


def _wrong(error: str, given: object, key: Key) -> str:
    if error in _RANGE_ERRORS or (key.kind == "number" and type(given) is int):
        return f"{show(given)} is out of range"
    if error == "literal_error" and isinstance(given, str):
        return f"{show(given)} is none of the choices"
    if key.kind == "list" and not isinstance(given, tuple):
        where = " in the list" if error == "string_type" else ""
        return f"{show(given)}{where} is {_kind(given)}"
    return f"{show(given)} is {_kind(given)}"


def _unknown(path: KeyPath) -> str:
    known = list(sections())
    if len(path) == 1:
        homes = [dotted for dotted in keys() if dotted.endswith(f".{path[0]}")]
        guess = f", did you mean {homes[0]}?" if homes else did_you_mean(path[0], known)
        return f"unknown section{guess}; allowed: {', '.join(known)}"
    section, name = path
    names = [key.name for key in keys().values() if key.section == section]
    guess = did_you_mean(name, names)
    homes = [dotted for dotted in keys() if dotted.endswith(f".{name}")]
    if homes:
        guess = f", did you mean {homes[0]}?"
    return f"unknown key{guess}; allowed: {', '.join(names)}"


def _kind(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a decimal number"),
        (str, "text"),
        (dict, "a table"),
        (list, "a list"),
        (tuple, "a list"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "a date or time")


def _finding_line(finding: Finding, giver: Mapping[str, Layer], fallback: str) -> str:
    places: Iterator[str] = (giver[key].place(tuple(key.split("."))) for key in finding.keys if key in giver)
    return f"{next(places, fallback)}: {finding.keys[0]}: {finding.wrong}; allowed: {finding.allowed}"
