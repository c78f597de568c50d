"""The language models of ``claudiad models``: what Ollama has of them, and pulling and making them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.errors import EngineMissing, ModelError
from claudiad.llm import checks, modelfile
from claudiad.llm.modelfile import Modelfile
from claudiad.llm.ollama_address import same_model
from claudiad.llm.ollama_facts import Installed, Loaded, Progress
from claudiad.llm.ollama_faults import remedy
from claudiad.llm.ollama_server import OllamaServer

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.table import Table

T = TypeVar("T")
Show: TypeAlias = Callable[[str, Progress], None]
"""Is told of each step, with the model it is about."""


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """One language model as listed, and as printed by ``--json``. None: the server could not be asked."""

    name: str
    size_mb: float | None
    """On the server's disk; None also when it is not installed."""
    parameters: str
    """As published, e.g. `3.1B`."""
    quantization: str
    loaded: bool | None
    gpu_share: float | None
    """Part of a loaded model that is on the GPU, 0 to 1."""
    installed: bool | None
    command: str | None
    """What installs it; None when it is installed or that is not known."""
    note: str
    """Why the server could not be asked, or ""."""
    kind: str = "language"


def open_server(settings: Settings) -> OllamaServer:
    """The server the settings name. Raises `ConfigError` when that is no address."""
    llm = settings.llm
    return OllamaServer(
        llm.host, num_ctx=llm.num_ctx, temperature=llm.temperature, top_p=llm.top_p, connect_ms=llm.connect_ms
    )


async def language_rows(server: OllamaServer, names: Sequence[str]) -> list[LanguageRow]:
    """One row per name, in their order; with the reason in each when the server cannot be asked."""
    try:
        found = await checks.look(server, SystemClock())
    except ModelError as fault:
        return [_unknown(name, str(fault)) for name in names]
    return [_row(name, found.installed_as(name), found.loaded_as(name)) for name in names]


def list_rows(settings: Settings) -> list[LanguageRow]:
    """`language_rows` of the configured models, for a program without an event loop."""
    return asyncio.run(_with_server(settings, lambda server: language_rows(server, settings.llm.models)))


def pull(settings: Settings, name: str, *, as_json: bool) -> None:
    """Fetch a model from Ollama's library, with progress. Raises `ModelError`, and `EngineMissing` for a model that is
    made from a Modelfile."""
    if modelfile.find(name):
        raise EngineMissing(f"{name} is not pulled but made: `claudiad models create {name}`")

    async def work(server: OllamaServer) -> None:
        with _bar(as_json=as_json) as show:
            await _follow(name, server.pull(name), show)
        await _report(server, name, "pulled", as_json=as_json)

    asyncio.run(_with_server(settings, work))


def create(settings: Settings, names: Sequence[str], *, as_json: bool) -> None:
    """Make models from their Modelfiles, with progress; without names, those configured that have one.

    A base that is not installed is pulled first. Raises `EngineMissing` for a name without a Modelfile, `DataError`
    for a malformed one (before anything is made) and `ModelError`.
    """
    files = _files(names or [name for name in settings.llm.models if modelfile.find(name)])

    async def work(server: OllamaServer) -> None:
        for file in files:
            with _bar(as_json=as_json) as show:
                await _make(server, file, show)
            await _report(server, file.name, "made", as_json=as_json)

    asyncio.run(_with_server(settings, work))


def table_of(rows: Sequence[LanguageRow], *, enabled: bool) -> Table:
    """The rows for a person."""
    from rich import box
    from rich.table import Table

    title = "Language models" + ("" if enabled else "; llm.enabled is false: they are not asked")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    table.add_column("size\nMB", justify="right", no_wrap=True)
    for heading in ("parameters", "here", "loaded", "on GPU"):
        table.add_column(heading)
    words = {True: "yes", False: "no", None: "?"}
    for row in rows:
        size = "?" if row.installed is None else "" if row.size_mb is None else f"{row.size_mb:.0f}"
        share = "" if row.gpu_share is None else f"{row.gpu_share:.0%}"
        about = " ".join(part for part in (row.parameters, row.quantization) if part)
        table.add_row(row.name, size, about, words[row.installed], words[row.loaded], share)
    return table


def _files(names: Sequence[str]) -> list[Modelfile]:
    paths = {name: modelfile.find(name) for name in names}
    known = ", ".join(path.name.removesuffix(modelfile.SUFFIX) for path in modelfile.shipped()) or "none"
    if unknown := [name for name, path in paths.items() if path is None]:
        raise EngineMissing(f"there is no Modelfile for {', '.join(unknown)}; there are: {known}")
    if not paths:
        raise EngineMissing(f"no model of llm.models has a Modelfile; there are: {known}")
    return [modelfile.load(path) for path in paths.values() if path is not None]


def _row(name: str, here: Installed | None, running: Loaded | None) -> LanguageRow:
    return LanguageRow(
        name=name,
        size_mb=round(here.size / 1e6, 1) if here else None,
        parameters=here.parameter_size if here else "",
        quantization=here.quantization if here else "",
        loaded=running is not None,
        gpu_share=None if running is None or running.gpu_share is None else round(running.gpu_share, 3),
        installed=here is not None,
        command=None if here else remedy(name),
        note="",
    )


def _unknown(name: str, reason: str) -> LanguageRow:
    return LanguageRow(name, None, "", "", loaded=None, gpu_share=None, installed=None, command=None, note=reason)


async def _with_server(settings: Settings, work: Callable[[OllamaServer], Awaitable[T]]) -> T:
    server = open_server(settings)
    try:
        return await work(server)
    finally:
        await server.close()


async def _make(server: OllamaServer, file: Modelfile, show: Show) -> None:
    """Pull the base unless it is installed, then make the model."""
    if not any(same_model(each.name, file.base) for each in await server.installed()):
        await _follow(file.base, server.pull(file.base), show)
    steps = server.create(
        file.name,
        file.base,
        system=file.system,
        messages=file.messages,
        parameters=file.parameters,
        template=file.template,
        licences=file.licences,
    )
    await _follow(file.name, steps, show)


@contextmanager
def _bar(*, as_json: bool) -> Iterator[Show]:
    """What shows the progress: one bar a model on standard error, or nothing."""
    if as_json:
        yield lambda name, step: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, step: Progress) -> None:
            task = tasks[name] if name in tasks else tasks.setdefault(name, bars.add_task(name, total=None))
            bars.update(task, description=f"{name}: {step.status}")
            if step.total:
                bars.update(task, completed=step.completed or 0, total=step.total)

        yield show


async def _follow(name: str, steps: AsyncGenerator[Progress, None], show: Show) -> None:
    async with aclosing(steps):
        async for step in steps:
            show(name, step)


async def _report(server: OllamaServer, name: str, done: str, *, as_json: bool) -> None:
    if not as_json:
        print(f"{name}: {done}")
        return
    for row in await language_rows(server, [name]):
        print(json.dumps(asdict(row), ensure_ascii=False))
