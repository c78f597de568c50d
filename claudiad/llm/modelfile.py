"""Modelfiles: how Ollama is told to make a model out of another (docs.ollama.com/modelfile).

Read as Ollama's own parser reads them: instructions in any case, values bare, in `"` or in triple quotes, both of
which may go over several lines, comments only where an instruction could begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from claudiad.errors import DataError
from claudiad.llm.model import Message, Role
from claudiad.llm.ollama_address import same_model

SUFFIX = ".Modelfile"
Value = int | float | bool | str | list[str]

# The options of /api/create (api.Options and api.Runner of Ollama) that a model may be given.
_INTS = frozenset(
    {"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "num_keep", "seed", "num_predict", "top_k"}
    | {"repeat_last_n"}
)
_FLOATS = frozenset(
    {"temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
_BOOLS = frozenset({"use_mmap"})
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Modelfile:
    """How one model is made."""

    name: str
    """The model's name: the file's, without `.Modelfile`."""
    path: Path
    base: str
    """The model it is made from."""
    system: str | None
    template: str | None
    parameters: Mapping[str, Value]
    messages: tuple[Message, ...]
    licences: tuple[str, ...]


def shipped_folder() -> Path:
    """The folder with this program's Modelfiles: in the package, or beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data" / "modelfiles"
    return installed if installed.is_dir() else package.parent / "modelfiles"


def shipped(folder: Path | None = None) -> tuple[Path, ...]:
    """The Modelfiles of this program, by name."""
    return tuple(sorted((folder or shipped_folder()).glob(f"*{SUFFIX}")))


def find(model: str, folder: Path | None = None) -> Path | None:
    """The Modelfile that makes `model`, or None."""
    return next((path for path in shipped(folder) if same_model(path.name.removesuffix(SUFFIX), model)), None)


def load(path: Path) -> Modelfile:
    """Read a Modelfile. Raises `DataError` with `file:line:` and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{path}:0: cannot be read: {fault}") from fault
    return parse(text, path)


def parse(text: str, path: Path) -> Modelfile:
    """The Modelfile in `text`; `path` gives it its name and stands in the faults."""
    base = system = template = None
    parameters: dict[str, Value] = {}
    messages: list[Message] = []
    licences: list[str] = []
    for number, instruction, rest in _instructions(text, path):
        where = f"{path}:{number}"
        match instruction:
            case "from":
                base = _base(where, _unquoted(rest))
            case "system":
                system = _unquoted(rest)
            case "template":
                template = _unquoted(rest)
            case "license":
                licences.append(_unquoted(rest))
            case "parameter":
                _add_parameter(where, parameters, rest)
            case "message":
                messages.append(_message(where, rest))
            case "adapter" | "renderer" | "parser" | "requires" | "draft":
                raise DataError(f"{where}: {instruction.upper()} cannot be sent through this API: use `ollama create`")
            case _:
                raise DataError(f"{where}: {instruction.upper()!r} is no instruction of a Modelfile")
    if base is None:
        raise DataError(f"{path}:{len(text.splitlines())}: there is no FROM")
    name = path.name.removesuffix(SUFFIX)
    return Modelfile(name, path, base, system, template, parameters, tuple(messages), tuple(licences))


def _instructions(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, instruction in lower case, and its value as written, quotes and all."""
    lines = enumerate(text.split("\n"), 1)
    for number, line in lines:
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        instruction, value = _first_word(bare)
        if not value:
            raise DataError(f"{path}:{number}: {instruction} has no value")
        quoted = _value_of(instruction.casefold(), value)
        while _open_quote(quoted):
            following = next(lines, None)
            if following is None:
                raise DataError(f"{path}:{number}: the quotation is never closed")
            value += "\n" + following[1]
            quoted = _value_of(instruction.casefold(), value)
        yield number, instruction.casefold(), value.rstrip()


def _value_of(instruction: str, rest: str) -> str:
    """What may be quoted: behind the role of a MESSAGE and the name of a PARAMETER."""
    return (_first_word(rest)[1] if instruction in ("message", "parameter") else rest).rstrip()


def _first_word(text: str) -> tuple[str, str]:
    """The first word and what follows it, "" when nothing does."""
    word, *rest = text.split(maxsplit=1)
    return word, rest[0] if rest else ""


def _open_quote(value: str) -> bool:
    if value.startswith('"""'):
        return len(value) < 6 or not value.endswith('"""')
    return value.startswith('"') and (len(value) < 2 or not value.endswith('"'))


def _unquoted(value: str) -> str:
    if value.startswith('"""'):
        return value[3:-3]
    return value[1:-1] if value.startswith('"') else value


def _base(where: str, value: str) -> str:
    if value.startswith((".", "/", "~")) or value.endswith(".gguf"):
        raise DataError(f"{where}: FROM must name a model, not the file {value!r}: use `ollama create`")
    return value


def _add_parameter(where: str, parameters: dict[str, Value], rest: str) -> None:
    name, quoted = _first_word(rest)
    text = _unquoted(quoted)
    if not text:
        raise DataError(f"{where}: the parameter {name} has no value")
    if name == "stop":
        stops = parameters.setdefault(name, [])
        assert isinstance(stops, list)  # noqa: S101 - only this branch writes it
        stops.append(text)
        return
    try:
        if name in _INTS:
            parameters[name] = int(text)
        elif name in _FLOATS:
            parameters[name] = float(text)
        elif name in _BOOLS:
            parameters[name] = _TRUTH[text.casefold()]
        else:
            raise DataError(f"{where}: {name!r} is no parameter of Ollama")
    except (ValueError, KeyError) as fault:
        kind = "a whole number" if name in _INTS else "a number" if name in _FLOATS else "true or false"
        raise DataError(f"{where}: {name} must be {kind}, not {text!r}") from fault


def _message(where: str, rest: str) -> Message:
    role, content = _first_word(rest)
    if role not in get_args(Role):
        raise DataError(f"{where}: the role of a MESSAGE is system, user or assistant, not {role!r}")
    if not content:
        raise DataError(f"{where}: the MESSAGE has no text")
    return Message(cast(Role, role), _unquoted(content))
