"""The settings tree as a flat list of keys: one source for error messages, the example file and the manual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from claudiad.config import Settings

Kind: TypeAlias = Literal["text", "choice", "whole number", "number", "switch", "list"]
Value: TypeAlias = str | int | float | bool | tuple[str, ...]

ENVIRONMENT_PREFIX = "CLAUDIA_"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting."""

    section: str
    name: str
    kind: Kind
    allowed: str
    """Type and range in words, e.g. ``whole number 1 to 32``."""
    default: Value
    description: str

    @property
    def dotted(self) -> str:
        """As on the command line: ``stt.model``."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """As in the environment: ``CLAUDIA_STT_MODEL``."""
        return f"{ENVIRONMENT_PREFIX}{self.section}_{self.name}".upper()


@cache
def sections() -> dict[str, str]:
    """Section name → what it is about, in the order of the tree."""
    return {name: _summary(field) for name, field in Settings.model_fields.items()}


@cache
def keys() -> dict[str, Key]:
    """`section.key` → `Key`, in the order of the tree."""
    found = (
        _key(section, name, field)
        for section, outer in Settings.model_fields.items()
        for name, field in _model(outer).model_fields.items()
    )
    return {key.dotted: key for key in found}


def toml_value(value: Value) -> str:
    """`value` as it is written in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_quoted(item) for item in value) + "]"
    return f"{value:_}" if isinstance(value, int) and abs(value) >= 1_000_000 else repr(value)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else {'"': '\\"', "\\": "\\\\"}.get(char, char)
        for char in text
    )
    return f'"{escaped}"'


def _model(field: FieldInfo) -> type[BaseModel]:
    model = field.annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"a section of Settings must be a model, not {model!r}")
    return model


def _summary(field: FieldInfo) -> str:
    return (_model(field).__doc__ or "").strip().splitlines()[0]


def _key(section: str, name: str, field: FieldInfo) -> Key:
    kind, allowed = _allowed(field)
    default: Any = field.default
    return Key(section, name, kind, allowed, default, field.description or "")


def _allowed(field: FieldInfo) -> tuple[Kind, str]:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return "choice", ", ".join(_quoted(str(choice)) for choice in get_args(annotation))
    if annotation is bool:
        return "switch", "true or false"
    if annotation is int:
        return "whole number", f"whole number{_range(field.metadata)}"
    if annotation is float:
        return "number", f"number{_range(field.metadata)}"
    if annotation is str:
        return "text", "text"
    return "list", "list of texts"


def _range(metadata: Sequence[object]) -> str:
    low = high = ""
    for bound in metadata:
        if isinstance(bound, annotated_types.Ge):
            low = f" {bound.ge}"
        elif isinstance(bound, annotated_types.Gt):
            low = f" above {bound.gt}"
        elif isinstance(bound, annotated_types.Le):
            high = f" to {bound.le}"
    return low + high
