"""The language models of a running claudiad: opened, their figures kept, and closed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from claudiad.app import language_models
from claudiad.app.language_models import SAVE_EVERY, LanguageModels, open_models
from claudiad.app.parts import brain_tables
from claudiad.clock import JumpClock
from claudiad.config import Settings
from claudiad.errors import EngineMissing
from claudiad.llm.degradation import Degradations
from claudiad.llm.figures import Call, Figures
from claudiad.llm.model import Done
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.state_file import write_whole
from claudiad.robot import registry

REGISTRY = registry.load()
TABLES = brain_tables(Settings(), REGISTRY)
NOBODY = "127.0.0.1:1"


class Disk:
    """Writes files when it is let; knows which texts were written, and by which threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.begun = threading.Event()
        self.texts: list[str] = []
        self.threads: set[int] = set()
        monkeypatch.setattr(language_models, "write_whole", self._write)

    def _write(self, path: Path, text: str) -> None:
        self.begun.set()
        assert self.free.wait(30)
        self.threads.add(threading.get_ident())
        write_whole(path, text)
        self.texts.append(text)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(monkeypatch)
    yield made
    made.free.set()


@pytest.fixture
def models(tmp_path: Path) -> LanguageModels:
    """Of a server nobody asks."""
    return LanguageModels(
        Settings(),
        JumpClock(),
        server=OllamaServer(NOBODY),
        cloud=None,
        registry=REGISTRY,
        tables=TABLES,
        kept=tmp_path,
    )


def answers(models: LanguageModels, count: int = SAVE_EVERY) -> None:
    """So many answers came, each with its line in the figures."""
    for _ in range(count):
        models.figures.observe(Call("a", 0.0, 100.0, 900.0, None))
        models.thinker.answered("a", Done("stop", tokens=20, eval_ms=1000.0))


def worded(models: LanguageModels, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets the thread of every time the figures are put into words."""
    threads: list[int] = []
    to_json = models.figures.to_json

    def noted(degradations: Degradations) -> str:
        threads.append(threading.get_ident())
        return to_json(degradations)

    monkeypatch.setattr(models.figures, "to_json", noted)
    return threads


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a thread of the disk's sets it
            await asyncio.sleep(0)


async def test_figures_are_put_into_words_where_they_change(
    models: LanguageModels, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop goes on counting calls while the disk writes: only the writing is done beside it."""
    words = worded(models, monkeypatch)
    disk.free.set()
    answers(models)
    await until(lambda: disk.texts)
    await until(lambda: all(task.get_name() != "keep the figures" for task in asyncio.all_tasks()))
    answers(models, SAVE_EVERY - 1)
    await asyncio.sleep(0)
    assert words == [threading.get_ident()]
    assert threading.get_ident() not in disk.threads
    assert (tmp_path / "models.json").read_text(encoding="utf-8") == disk.texts[0]
    await models.close()


async def test_what_is_being_written_is_not_overtaken(
    models: LanguageModels, disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk: one writing at a time, and the last one is of the end, whenever that comes."""
    words = worded(models, monkeypatch)
    answers(models)
    await until(disk.begun.is_set)
    answers(models, 3 * SAVE_EVERY)
    closing = asyncio.create_task(models.close())
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(words) == 1, "while the first text is being written there is no second one"
    disk.free.set()
    await closing
    assert len(disk.texts) == 2
    assert (tmp_path / "models.json").read_text(encoding="utf-8") == models.figures.to_json(models.degradations)


async def test_a_disk_that_takes_nothing_is_reported(
    models: LanguageModels, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In one line; the next time it is tried again."""
    (tmp_path / "models.json").mkdir()
    answers(models)
    await until(lambda: "the models' figures are not kept" in caplog.text)
    (tmp_path / "models.json").rmdir()
    await models.close()
    assert Figures().load(tmp_path / "models.json") is None
    assert (tmp_path / "models.json").exists()


class Opened:
    """The servers that were opened, and which of them are closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.servers: list[OllamaServer] = []
        self.closed: list[OllamaServer] = []
        monkeypatch.setattr(language_models, "open_server", self._open)

    def _open(self, _: Settings) -> OllamaServer:
        server = OllamaServer(NOBODY)
        self.servers.append(server)
        server.close = partial(self._close, server, server.close)  # type: ignore[method-assign]
        return server

    async def _close(self, server: OllamaServer, close: Callable[[], Awaitable[None]]) -> None:
        self.closed.append(server)
        await close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


async def test_a_cloud_that_cannot_be_asked_leaves_nothing_open(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was opened before it is closed again; it is opened beside the event loop, for its SDK is slow to import."""
    threads: set[int] = set()

    def no_key(*_: object) -> None:
        threads.add(threading.get_ident())
        raise EngineMissing("the cloud needs a key")

    monkeypatch.setattr(language_models, "open_cloud", no_key)
    with pytest.raises(EngineMissing):
        async with open_models(Settings(), JumpClock(), REGISTRY, TABLES, kept=tmp_path):
            pass
    assert len(opened.servers) == 1
    assert opened.closed == opened.servers
    assert threads
    assert threads & {threading.get_ident()} == set()


async def test_figures_that_cannot_be_loaded_leave_nothing_open(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever goes wrong there, the server is closed again."""

    def spoilt(_: LanguageModels) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(LanguageModels, "load", spoilt)
    with pytest.raises(ValueError, match="a bug"):
        async with open_models(Settings(), JumpClock(), REGISTRY, TABLES, kept=tmp_path):
            pass
    assert len(opened.servers) == 1
    assert opened.closed == opened.servers


async def test_they_are_closed_with_their_figures_kept(opened: Opened, tmp_path: Path) -> None:
    """The usual way: what was counted is there at the next start."""
    async with open_models(Settings(), JumpClock(), REGISTRY, TABLES, kept=tmp_path, watch=False) as models:
        models.figures.observe(Call("a", 0.0, 100.0, 900.0, None))
        kept = models.figures.to_json(models.degradations)
    assert opened.closed == opened.servers
    assert (tmp_path / "models.json").read_text(encoding="utf-8") == kept
