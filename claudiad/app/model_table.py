"""`claudiad/data/models.toml`: the speech models that can be named, with size, accuracy and memory."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claudiad.app.toml_lines import key_lines
from claudiad.errors import DataError

TABLE_FILE = Path(__file__).parent.parent / "data" / "models.toml"


class Model(BaseModel):
    """A model that can be fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._-]+$")
    repository: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    size_mb: int = Field(gt=0)
    ram_mb: int = Field(gt=0)
    cer: float | None = Field(default=None, gt=0.0, lt=100.0)
    """Character error rate on JSUT, percent."""
    note: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class ModelTable:
    """The table, checked."""

    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    english_only: frozenset[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name `stt.model` may have, aliases too."""
        return (*self.models, *self.aliases)

    def find(self, name: str) -> Model | None:
        """The model of that name or alias."""
        return self.models.get(self.aliases.get(name, name))


@cache
def load_table(file: Path = TABLE_FILE) -> ModelTable:
    """Read and check the table. Raises `DataError` ``file:line: …``."""
    text = file.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line (\d+)", str(error))
        raise DataError(
            f"{file.name}:{where[1] if where else text.rstrip().count(chr(10)) + 1}: not TOML: {error}"
        ) from error
    starts = (number for number, line in enumerate(text.splitlines(), 1) if line.startswith("[[model]]"))
    models: dict[str, Model] = {}
    for entry in document.get("model", []):
        line = next(starts, 1)
        model = _model(file, line, entry)
        if model.name in models:
            raise DataError(f"{file.name}:{line}: the model {model.name} stands twice")
        models[model.name] = model
    lines = key_lines(text)
    aliases: dict[str, str] = document.get("aliases", {})
    for alias, target in aliases.items():
        if target not in models or alias in models:
            raise DataError(f"{file.name}:{lines.line(('aliases', alias))}: {alias} = {target!r} names no model")
    english_only = frozenset(document.get("english_only", {}).get("names", []))
    return ModelTable(models, aliases, english_only)


def _model(file: Path, line: int, entry: Any) -> Model:
    try:
        return Model.model_validate(entry)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in detail["loc"])
        raise DataError(f"{file.name}:{line}: model.{key}: {detail['msg']}") from error
