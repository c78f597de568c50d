"""Rules no single field can hold: settings that need each other, and files that must be there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from claudiad.app.model_table import load_table
from claudiad.app.schema import keys
from claudiad.app.settings_sources import did_you_mean, one_line, show
from claudiad.config import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: the key to blame first, then the others it was compared with."""

    keys: tuple[str, ...]
    wrong: str
    allowed: str


def resolve_paths(settings: Settings, bases: Mapping[str, Path]) -> Settings:
    """Make relative paths absolute, each from the folder of its source; names of models and voices stay."""
    changed: dict[str, dict[str, str]] = {}
    for dotted in ("brain.phrases", "stt.model", "stt.stop_model", "tts.voice", "audit.directory"):
        value = _text(settings, dotted)
        section, name = dotted.split(".")
        always = dotted in {"brain.phrases", "audit.directory"}
        base = bases.get(dotted, Path())
        if value and _printable(value) and (always or looks_like_path(value) or _is_model_folder(base, value)):
            changed.setdefault(section, {})[name] = str(base / _expanded(value))
    update = {section: getattr(settings, section).model_copy(update=names) for section, names in changed.items()}
    return settings.model_copy(update=update)


def looks_like_path(value: str) -> bool:
    """Whether a model or voice setting means a place, not a name: `org/name` is a name."""
    return value.startswith(("/", "./", "../", "~")) or value in {".", ".."} or value.endswith(".onnx")


def wakes(settings: Settings) -> bool:
    """Whether it has to be called by its name: as the settings say, else with a real robot only."""
    return settings.wake.mode == "on" or (settings.wake.mode == "auto" and settings.robot.engine == "go2")


def verify(settings: Settings) -> Iterator[Finding]:
    """Every rule `settings` breaks. Paths must be absolute already (`resolve_paths`)."""
    unprintable = list(_control_characters(settings))
    yield from unprintable
    if not unprintable:
        yield from _files(settings)
        yield from _models(settings)
    yield from _together(settings)


def _control_characters(settings: Settings) -> Iterator[Finding]:
    for dotted, key in keys().items():
        if key.kind in {"text", "list"}:
            section = getattr(settings, key.section)
            value: str | tuple[str, ...] = getattr(section, key.name)
            for item in (value,) if isinstance(value, str) else value:
                if not _printable(item):
                    yield Finding((dotted,), f"{show(item)} has control characters", key.allowed)


def _together(settings: Settings) -> Iterator[Finding]:
    endpoint, robot, turn = settings.endpoint, settings.robot, settings.turn
    for name in ("hangover_ms", "pre_roll_ms", "min_speech_ms"):
        value: int = getattr(endpoint, name)
        if value >= endpoint.max_utterance_ms:
            yield Finding(
                (f"endpoint.{name}", "endpoint.max_utterance_ms"),
                f"{value} is not below endpoint.max_utterance_ms = {endpoint.max_utterance_ms}",
                "less than the longest utterance",
            )
    for name in ("stop_budget_ms", "action_budget_ms"):
        value = getattr(turn, name)
        if value > turn.turn_budget_ms:
            yield Finding(
                (f"turn.{name}", "turn.turn_budget_ms"),
                f"{value} is above turn.turn_budget_ms = {turn.turn_budget_ms}",
                "a part of the whole turn's budget",
            )
    if robot.engine == "go2" and not robot.interface.strip():
        yield Finding(
            ("robot.interface", "robot.engine"),
            'missing, and robot.engine = "go2" needs it',
            "the network interface the Go2 is on, for example eth0",
        )
    if wakes(settings) and not settings.wake.phrases:
        yield Finding(
            ("wake.phrases", "wake.mode", "robot.engine"),
            "empty, and with the wake phrase on nothing could be said",
            'at least one phrase, or wake.mode = "off"',
        )
    for dotted, texts in (
        ("wake.phrases", settings.wake.phrases),
        ("tts.acknowledgements", settings.tts.acknowledgements),
    ):
        if any(not text.strip() for text in texts):
            yield Finding((dotted,), "one of the texts is empty", "texts with something in them")
    for name in ("microphone", "speaker"):
        if not getattr(settings.audio, name).strip():
            yield Finding((f"audio.{name}",), "empty", "default, none, or part of a device name")


def _files(settings: Settings) -> Iterator[Finding]:
    phrases = settings.brain.phrases
    if phrases and not _is_file(Path(phrases)):
        allowed = "a TSV file, relative to this file; empty = none"
        yield Finding(("brain.phrases",), f"no file {_path(phrases)}", allowed)
    voice = settings.tts.voice
    if Path(voice).is_absolute():
        if not _is_file(Path(voice)):
            yield Finding(
                ("tts.voice",), f"no file {_path(voice)}", "a Piper voice (.onnx) or an installed voice's name"
            )
        elif not _is_file(Path(f"{voice}.json")):
            yield Finding(
                ("tts.voice",), f"{_path(voice)} lacks its .onnx.json", "a Piper voice with its .json beside it"
            )
    directory = settings.audit.directory
    if directory and _is_file(Path(directory)):
        yield Finding(("audit.directory",), f"{_path(directory)} is a file", "a folder; it is made when missing")


def _models(settings: Settings) -> Iterator[Finding]:
    for name in ("model", "stop_model"):
        dotted = f"stt.{name}"
        value = _text(settings, dotted)
        if value == "embedded":
            continue
        if Path(value).is_absolute():
            if not _is_file(Path(value) / "model.bin"):
                yield Finding((dotted,), f"no model.bin in {_path(value)}", "a folder with a CTranslate2 Whisper model")
        elif "/" not in value:
            table = load_table()
            if value in table.english_only:
                yield Finding((dotted,), f"{show(value)} knows English only", "embedded, " + ", ".join(table.models))
            elif value not in table.names:
                guess = did_you_mean(value, ["embedded", *table.names])
                yield Finding(
                    (dotted,),
                    f"no model is called {show(value)}{guess}",
                    f"embedded, {', '.join(table.models)}, org/name, or a folder",
                )


def _path(path: str) -> str:
    """In full: the end is what tells people which file is meant."""
    return f'"{one_line(path)}"'


def _text(settings: Settings, dotted: str) -> str:
    section, name = dotted.split(".")
    value: str = getattr(getattr(settings, section), name)
    return value


def _printable(text: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)


def _expanded(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError:  # no such user: the missing file is reported by its name as written
        return Path(value)


def _is_model_folder(base: Path, value: str) -> bool:
    return value != "embedded" and "/" in value and _is_file(base / value / "model.bin")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
