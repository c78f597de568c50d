"""The table of actions: `claudiad/data/actions.toml`, checked at load. The only place that names the robot's ids.

An id means something only within its service: 1001 is Damp to `sport` and a picture to `videohub`. Whoever sends one
looks at `ActionSpec.service` first.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from claudiad.errors import DataError
from claudiad.types import Posture

STOP = "stop"
MOVE = "move"
STAND_UP = "StandUp"
STAND_DOWN = "StandDown"
DAMP = "Damp"
PHOTO = "Photo"

_FIXED_IDS = {STOP: 1003, MOVE: 1008, STAND_UP: 1004, STAND_DOWN: 1005, DAMP: 1001}
"""The rows code relies on by name, with the ids they must have (docs/facts.md)."""

ActionClass = Literal["safe", "gesture", "energetic", "acrobatic"]
Service = Literal["sport", "videohub"]

_HEADER = re.compile(r"\s*\[([A-Za-z0-9_.]+)\]")
_KEY = re.compile(r"\s*([A-Za-z0-9_]+)\s*=")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ParamSpec(_Row):
    """One parameter: a number or an integer within [min, max] in `unit`, or a flag."""

    kind: Literal["number", "integer", "flag"]
    unit: Literal["m", "rad", ""] = ""
    min: float = 0.0
    max: float = 0.0
    default: bool | float

    @model_validator(mode="after")
    def _consistent(self) -> ParamSpec:
        if self.kind == "flag":
            if not isinstance(self.default, bool):
                raise ValueError("the default of a flag is true or false")
        elif isinstance(self.default, bool) or not all(map(math.isfinite, (self.min, self.max, self.default))):
            raise ValueError("min, max and default of a number are finite numbers")
        elif not self.min <= self.default <= self.max or self.min == self.max:
            raise ValueError("a number needs min < max, and its default between them")
        return self


def _read_only(params: Mapping[str, ParamSpec]) -> Mapping[str, ParamSpec]:
    return MappingProxyType(dict(params))


class ActionSpec(_Row):
    """One row of the table; the meaning of each column is explained at the head of the file."""

    name: str
    service: Service = "sport"
    api_id: int = Field(ge=1000, le=9999)
    """Unique within its service."""
    title: str = Field(min_length=1)
    reply: str
    action_class: ActionClass = Field(alias="class")
    dangerous: bool = False
    needs: frozenset[Posture] = Field(min_length=1)
    gives: Posture | None = None
    """None = the posture it began in."""
    low_battery: bool = False
    legacy: bool = False
    internal: bool = False
    """A switch of the robot that is never thrown from here."""
    duration_s: float = Field(gt=0.0, le=120.0)
    params: Annotated[Mapping[str, ParamSpec], AfterValidator(_read_only)] = Field(
        default_factory=lambda: MappingProxyType({})
    )

    @field_validator("reply")
    @classmethod
    def _spoken(cls, reply: str) -> str:
        if not reply.endswith("。"):
            raise ValueError("a reply is a Japanese sentence that ends with 。")
        return reply

    @model_validator(mode="after")
    def _reachable(self) -> ActionSpec:
        if self.dangerous != (self.action_class == "acrobatic"):
            raise ValueError("dangerous = true and class = 'acrobatic' go together")
        if not {Posture.STANDING, Posture.LYING} & self.needs:
            raise ValueError("needs must name standing or lying: safety can bring the robot into no other posture")
        if self.gives is Posture.UNKNOWN:
            raise ValueError("gives must be a posture the robot can be seen in")
        return self


@cache
def load() -> Mapping[str, ActionSpec]:
    """The table that comes with the program, by name, in file order. Raises DataError."""
    source = resources.files("claudiad.data") / "actions.toml"
    return parse(source.read_text(encoding="utf-8"), "actions.toml")


def askable(table: Mapping[str, ActionSpec]) -> dict[str, int]:
    """Names and ids of what may be asked for in words, by a person or a language model."""
    return {name: spec.api_id for name, spec in table.items() if not spec.internal}


def load_file(path: Path) -> Mapping[str, ActionSpec]:
    """Another table of the same form. Raises DataError ``file:line: ...``, OSError when it cannot be read."""
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, file: str) -> Mapping[str, ActionSpec]:
    """Read and check a table. Raises DataError ``file:line: ...`` for the first fault."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+)", str(fault))
        line = found[1] if found else str(text.count("\n") + 1)
        raise DataError(f"{file}:{line}: not TOML: {fault}") from fault
    lines = _lines(text)
    specs: dict[str, ActionSpec] = {}
    owner: dict[tuple[str, int], str] = {}
    for name, row in document.items():
        if not isinstance(row, dict):
            raise DataError(f"{file}:{lines.get((name,), 1)}: {name}: every entry is a table, [{name}]")
        try:
            spec = ActionSpec.model_validate({**row, "name": name})
        except ValidationError as fault:
            first = fault.errors(include_url=False)[0]
            where = (name, *(str(part) for part in first["loc"]))
            raise DataError(f"{file}:{_line(lines, where)}: {'.'.join(where)}: {first['msg']}") from fault
        here = _line(lines, (name, "api_id"))
        if (taken := owner.get((spec.service, spec.api_id))) is not None:
            raise DataError(f"{file}:{here}: {name}: id {spec.api_id} already belongs to {taken}")
        if spec.api_id != _FIXED_IDS.get(name, spec.api_id):
            raise DataError(f"{file}:{here}: {name}: its id is {_FIXED_IDS[name]}, not {spec.api_id}")
        if name in _FIXED_IDS and spec.service != "sport":
            raise DataError(f"{file}:{_line(lines, (name, 'service'))}: {name}: its service is sport")
        owner[spec.service, spec.api_id] = name
        specs[name] = spec
    if missing := [name for name in _FIXED_IDS if name not in specs]:
        raise DataError(f"{file}:1: missing: {', '.join(missing)}")
    return MappingProxyType(specs)


def _lines(text: str) -> dict[tuple[str, ...], int]:
    """Line (from 1) of each header and each key; enough for a file with one key per line."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, row in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(row):
            table = tuple(header[1].split("."))
            lines.setdefault(table, number)
        elif key := _KEY.match(row):
            lines.setdefault((*table, key[1]), number)
    return lines


def _line(lines: Mapping[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    for length in range(len(path), 0, -1):
        if (number := lines.get(path[:length])) is not None:
            return number
    return 1
