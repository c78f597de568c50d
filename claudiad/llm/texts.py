"""What language models are told, as data: `claudiad/data/prompts.toml`, read once and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from claudiad.errors import DataError
from claudiad.llm.request_class import PromptKind
from claudiad.types import Posture

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Without the line breaks at both ends that a multi-line string of TOML has."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choices(_Row):
    """Names of the actions that go with what is no command."""

    greeting: tuple[str, ...]
    dialog: tuple[str, ...]


class StateWords(_Row):
    """How the robot's state is put."""

    battery: Text
    still: Text
    moving: Text
    doing: Text
    latched: Text
    hour: Text


class Example(_Row):
    """What is said, and the answer to it."""

    said: Text
    actions: tuple[str, ...]
    move: Mapping[str, float | int] = Field(default_factory=dict)
    """Parameters of the `move` among the actions."""
    reply: Text


class PromptTexts(_Row):
    """The whole file; each part is explained there."""

    base: Text
    rules: Text
    kinds: Mapping[PromptKind, Text]
    choices: Choices
    when: Mapping[str, Text]
    posture: Mapping[Posture, Text]
    state: StateWords
    day: Mapping[Annotated[int, Field(ge=0, le=23)], Text]
    examples: tuple[Example, ...]


@cache
def load() -> PromptTexts:
    """The texts that come with the program. Raises DataError."""
    source = resources.files("claudiad.data") / "prompts.toml"
    return parse(source.read_text(encoding="utf-8"), "prompts.toml")


def parse(text: str, file: str) -> PromptTexts:
    """Read and check a file. Raises DataError ``file:line: …`` for the first fault."""
    try:
        texts = PromptTexts.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+)", str(fault))
        raise DataError(f"{file}:{found[1] if found else 1}: not TOML: {fault}") from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        where = [str(part) for part in first["loc"] if part != "[key]"]
        raise DataError(f"{file}:{_line(text, where)}: {'.'.join(where)}: {first['msg']}") from fault
    for wanted, given, name in ((PromptKind, texts.kinds, "kinds"), (Posture, texts.posture, "posture")):
        if missing := [each.value for each in wanted if each not in given]:
            raise DataError(f"{file}:{_line(text, [name])}: {name}: missing: {', '.join(missing)}")
    if 0 not in texts.day:
        raise DataError(f"{file}:{_line(text, ['day'])}: day: it has to begin at hour 0")
    return texts


def _line(text: str, path: list[str]) -> int:
    """Line (from 1) of a key, of its table where the key is missing, else the first."""
    lines = text.splitlines()
    names = [part for part in path if not part.isdigit()] + [part for part in path if part.isdigit()][:1]
    for name in reversed(names):
        here = re.compile(rf'\s*(?:"?{re.escape(name)}"?\s*=|\[+{re.escape(name)}\])')
        for number, line in enumerate(lines, 1):
            if here.match(line):
                return number
    return 1
