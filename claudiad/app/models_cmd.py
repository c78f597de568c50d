"""``claudiad models``: which speech and language models there are, which fit, and how to get one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from claudiad.app.model_table import Model, ModelTable, load_table
from claudiad.app.options import settings_of
from claudiad.config import Settings
from claudiad.errors import ClaudiaError, EngineMissing

if TYPE_CHECKING:
    from rich.table import Table

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).parent.parent / "data" / "stt"
EMBEDDED_RAM_MB = 60
_EMBEDDED_MISSING = "the embedded model is not in this installation: reinstall claudiad, it cannot be fetched"
MEMORY_FILE = Path("/proc/meminfo")

# What faster-whisper itself fetches (faster_whisper.utils.download_model).
FILES = ["config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*"]

Fetch: TypeAlias = Callable[[str], str]
"""Repository → folder it was fetched to. Raises OSError and others when it cannot."""


@dataclass(frozen=True, slots=True)
class Row:
    """One model as listed, and as printed by ``--json``."""

    name: str
    size_mb: float | None
    """On this disk when `path` is there, else as published; None: not known."""
    cer: float | None
    """Character error rate on JSUT, percent; None: not measured there."""
    ram_mb: int
    fits: bool | None
    """Whether `ram_mb` is free now; None: the free memory is not known."""
    path: str | None
    """Where it is on this machine, or None."""
    command: str | None
    """What fetches it; None when it is here."""
    note: str
    kind: str = "speech"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` to the command line."""
    parser = subparsers.add_parser(
        "models", help="speech and language models: what is here, what fits, fetch or make one"
    )
    parser.add_argument("--json", action="store_true", help="one object per line")
    _add_settings(parser, config=None, overrides=[])
    actions = parser.add_subparsers(dest="models_action", metavar="list|fetch|path|pull|create")
    listing = actions.add_parser("list", help="the tables (the default)")
    fetching = actions.add_parser("fetch", help="download a speech model, with progress")
    path = actions.add_parser("path", help="print where a speech model is")
    for one in (fetching, path):
        one.add_argument("name", help="a name from the table, or org/name")
    pulling = actions.add_parser("pull", help="let Ollama fetch a language model from its library, with progress")
    pulling.add_argument("name", help="Ollama's name of it, e.g. qwen2.5:3b")
    making = actions.add_parser("create", help="let Ollama make this program's language models, with progress")
    making.add_argument("names", nargs="*", metavar="NAME", help="which (default: those of llm.models)")
    for each in (listing, fetching, path, pulling, making):
        # SUPPRESS: without it the subcommand's default would undo what was given before it.
        each.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="one object per line")
    for each in (listing, pulling, making):
        _add_settings(each, config=argparse.SUPPRESS, overrides=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def _add_settings(parser: argparse.ArgumentParser, *, config: str | None, overrides: str | list[str]) -> None:
    """`--config` and `--set`, as `claudiad.app.options.add_config` has them, with these defaults."""
    parser.add_argument("--config", type=Path, default=config, metavar="FILE", help="configuration file")
    parser.add_argument(
        "--set", action="append", default=overrides, metavar="SECTION.KEY=VALUE", help="override one setting"
    )


def run(args: argparse.Namespace) -> int:
    """Do what ``claudiad models`` was asked. Returns the exit status; faults are one line on standard error."""
    try:
        if args.models_action == "fetch":
            _report(args.name, fetch(args.name, os.environ), as_json=args.json)
        elif args.models_action == "path":
            _report(args.name, require(args.name, os.environ), as_json=args.json)
        elif args.models_action in ("pull", "create"):
            _change(args)
        else:
            _list(settings_of(args), as_json=args.json)
    except ClaudiaError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


def locate(name: str, environ: Mapping[str, str]) -> Path | None:
    """The folder of a model that is on this machine: embedded, in the data folder or in the Hugging Face cache.

    `name` is a name from the table or `org/name`. None when it is not here, or only in part.
    """
    if name == EMBEDDED:
        return EMBEDDED_FOLDER if (EMBEDDED_FOLDER / "model.bin").is_file() else None
    model = load_table().find(name)
    repository = model.repository if model else name
    candidates = [_data_folder(environ) / (model.name if model else name)]
    snapshots = _hugging_face_cache(environ) / f"models--{repository.replace('/', '--')}" / "snapshots"
    if snapshots.is_dir():
        # Several revisions: the one fetched last.
        candidates += sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    return next((folder for folder in candidates if (folder / "model.bin").is_file()), None)


def fetch(name: str, environ: Mapping[str, str], download: Fetch | None = None) -> Path:
    """Download a model unless it is here; returns its folder. Raises `EngineMissing`, one line, when it cannot."""
    if found := locate(name, environ):
        return found
    if name == EMBEDDED:
        raise EngineMissing(_EMBEDDED_MISSING)
    table = load_table()
    model = table.find(name)
    if model is None and name.count("/") != 1:
        raise EngineMissing(f"no model is called {name!r}; there are {', '.join(table.names)}, or org/name")
    repository = model.repository if model else name
    try:
        folder = Path((download or _download)(repository))
    except Exception as error:
        # The library, its HTTP client and its storage client each have exceptions of their own, which change.
        raise EngineMissing(f"{name} cannot be fetched from {repository}: {_reason(error)}") from error
    if not (folder / "model.bin").is_file():
        raise EngineMissing(
            f"{repository} came without model.bin: it is no CTranslate2 model, or the download broke off"
        )
    return folder


def with_model_folders(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """`settings` with the speech models given by name replaced by their folders; `embedded` and paths stay.

    Raises `EngineMissing` for a model that is not on this machine.
    """
    folders = {
        field: str(require(name, environ))
        for field, name in (("model", settings.stt.model), ("stop_model", settings.stt.stop_model))
        if name != EMBEDDED and not Path(name).is_absolute()
    }
    return settings.model_copy(update={"stt": settings.stt.model_copy(update=folders)})


def rows(table: ModelTable, environ: Mapping[str, str], free_mb: int | None) -> list[Row]:
    """The embedded model first, then the table's in its order."""
    embedded = locate(EMBEDDED, environ)
    first = Row(
        name=EMBEDDED,
        size_mb=_size_mb(embedded) if embedded else None,
        cer=None,
        ram_mb=EMBEDDED_RAM_MB,
        fits=None if free_mb is None else free_mb >= EMBEDDED_RAM_MB,
        path=str(embedded) if embedded else None,
        command=None,
        note="made for robot talk only, not for the whole language",
    )
    return [first, *(_row(model, environ, free_mb) for model in table.models.values())]


def free_memory_mb(meminfo: Path) -> int | None:
    """Memory that can be had without swapping, MB; None where the kernel does not say."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    fields = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(words[1]) * 1024 // 1_000_000 for words in fields if len(words) > 1 and words[1].isdigit()), None)


def _row(model: Model, environ: Mapping[str, str], free_mb: int | None) -> Row:
    here = locate(model.name, environ)
    return Row(
        name=model.name,
        size_mb=_size_mb(here) if here else float(model.size_mb),
        cer=model.cer,
        ram_mb=model.ram_mb,
        fits=None if free_mb is None else free_mb >= model.ram_mb,
        path=str(here) if here else None,
        command=None if here else f"claudiad models fetch {model.name}",
        note=model.note,
    )


def _change(args: argparse.Namespace) -> None:
    from claudiad.app import ollama_models  # an HTTP client: a tenth of a second

    if args.models_action == "pull":
        ollama_models.pull(settings_of(args), args.name, as_json=args.json)
    else:
        ollama_models.create(settings_of(args), args.names, as_json=args.json)


def _list(settings: Settings, *, as_json: bool) -> None:
    from claudiad.app import ollama_models  # an HTTP client: a tenth of a second

    free_mb = free_memory_mb(MEMORY_FILE)
    found = rows(load_table(), os.environ, free_mb)
    language = ollama_models.list_rows(settings)
    if as_json:
        for fields in (*map(asdict, found), *map(asdict, language)):
            print(json.dumps(fields, ensure_ascii=False))
        return
    from rich.console import Console  # --help does not wait for it

    console = Console()
    console.print(_table(found, free_mb))
    if commands := [row.command for row in found if row.command and row.fits is not False]:
        print("To fetch one that fits:", *commands, sep="\n  ")
        print()
    console.print(ollama_models.table_of(language, enabled=settings.llm.enabled))
    for line in dict.fromkeys(row.note for row in language if row.note):
        print(line)
    if commands := [row.command for row in language if row.command]:
        print("To get what is missing:", *commands, sep="\n  ")


def _table(found: list[Row], free_mb: int | None) -> Table:
    from rich import box
    from rich.table import Table

    memory = "" if free_mb is None else f"; {free_mb} MB of memory are free"
    table = Table(
        title=f"Speech models{memory}",
        caption="errors: characters wrong in 100 of read Japanese (JSUT)",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("model", no_wrap=True)
    for heading in ("size\nMB", "errors\n%", "memory\nMB"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("fits")
    table.add_column("here")
    table.add_column("remark")
    for row in found:
        size = "?" if row.size_mb is None else f"{row.size_mb:.1f}" if row.size_mb < 10 else f"{row.size_mb:.0f}"
        table.add_row(
            row.name,
            size,
            "?" if row.cer is None else f"{row.cer:g}",
            str(row.ram_mb),
            {True: "yes", False: "no", None: "?"}[row.fits],
            "yes" if row.path else "no",
            row.note,
        )
    return table


def require(name: str, environ: Mapping[str, str]) -> Path:
    """Like `locate`; raises `EngineMissing` with the command that fetches it."""
    if found := locate(name, environ):
        return found
    if name == EMBEDDED:
        raise EngineMissing(_EMBEDDED_MISSING)
    raise EngineMissing(f"{name} is not on this machine: claudiad models fetch {name}")


def _report(name: str, path: Path, *, as_json: bool) -> None:
    print(json.dumps({"name": name, "path": str(path)}, ensure_ascii=False) if as_json else path)


def _download(repository: str) -> str:
    """What `faster_whisper.download_model` does, which switches the progress bars off."""
    from huggingface_hub import snapshot_download  # a third of a second to import

    return snapshot_download(repository, allow_patterns=FILES)


def _reason(error: BaseException) -> str:
    """The innermost cause in one line: what the outer ones say about it is for programmers."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).split()) or type(error).__name__
    offline = isinstance(error, ConnectionError) or "resolution" in text or "Name or service" in text
    return text + ("; is there an internet connection?" if offline or "Connect" in type(error).__name__ else "")


def _size_mb(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6, 1)


def _data_folder(environ: Mapping[str, str]) -> Path:
    return _home_folder(environ, "XDG_DATA_HOME", ".local/share") / "claudia" / "models"


def _hugging_face_cache(environ: Mapping[str, str]) -> Path:
    """As huggingface_hub.constants has it, without the import."""
    if cache := environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(cache).expanduser()
    if home := environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return _home_folder(environ, "XDG_CACHE_HOME", ".cache") / "huggingface" / "hub"


def _home_folder(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    if given := environ.get(variable):
        return Path(given)
    return Path(environ.get("HOME", "~")).expanduser() / otherwise
