"""`claudiad models`: the table, what is here, and fetching with and without the internet."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import models_cmd
from claudiad.app.model_table import TABLE_FILE, load_table
from claudiad.app.models_cmd import fetch, free_memory_mb, locate, require, rows, with_model_folders
from claudiad.config import Settings, SttSettings
from claudiad.errors import DataError, EngineMissing

Environ = Mapping[str, str]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    # Nobody listens on port 1.
    return {"HOME": str(tmp_path), "OLLAMA_HOST": "127.0.0.1:1"}


def put_in_cache(
    environ: Environ, repository: str, revision: str = "r1", file: str = "model.bin", size: int = 7
) -> Path:
    hub = Path(environ["HOME"]) / ".cache" / "huggingface" / "hub"
    folder = hub / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    folder.mkdir(parents=True)
    (folder / file).write_bytes(b"x" * size)
    return folder


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    models_cmd.add_parser(parser.add_subparsers(required=True))
    return models_cmd.run(parser.parse_args(["models", *words]))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
    """A machine with an embedded model of 2 MB, 2 GB of free memory and nothing else."""
    embedded = tmp_path / "embedded"
    embedded.mkdir()
    (embedded / "model.bin").write_bytes(b"x" * 1_900_000)
    (embedded / "tokenizer.json").write_bytes(b"x" * 100_000)
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 2000000 kB\n")
    monkeypatch.setattr(models_cmd, "EMBEDDED_FOLDER", embedded)
    monkeypatch.setattr(models_cmd, "MEMORY_FILE", tmp_path / "meminfo")
    monkeypatch.setattr(models_cmd.os, "environ", environ)
    return environ


def test_the_table_has_the_published_accuracy() -> None:
    """Error rates on JSUT as on the model cards; what has not been measured there is not invented."""
    rates = {name: model.cer for name, model in load_table().models.items()}
    assert rates == {
        "tiny": 36.5,
        "base": 24.9,
        "small": 14.2,
        "medium": 10.0,
        "large-v1": None,
        "large-v2": None,
        "large-v3": 7.1,
        "large-v3-turbo": None,
        "kotoba-whisper-v2.0": 8.4,
    }


def test_the_table_knows_every_name_of_faster_whisper() -> None:
    """Names, repositories and aliases are those of the installed faster-whisper, plus kotoba-whisper."""
    from faster_whisper.utils import _MODELS

    table = load_table()
    named = {name: model.repository for name in table.names if (model := table.find(name))}
    assert named.pop("kotoba-whisper-v2.0") == "kotoba-tech/kotoba-whisper-v2.0-faster"
    assert named == {name: repository for name, repository in _MODELS.items() if name not in table.english_only}
    assert table.english_only < set(_MODELS)


def test_memory_is_the_documented_estimate() -> None:
    """ram_mb is above the size on disk plus working memory, and near the one published figure."""
    for model in load_table().models.values():
        assert model.size_mb * 1.4 + 280 < model.ram_mb < model.size_mb * 1.6 + 320
    small = load_table().find("small")
    assert small is not None
    assert 995 <= small.ram_mb < 1.1 * 995


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[model]]\nname = 1", "t.toml:1: model.name: "),
        (
            "\n[[model]]\nname = 'a'\nrepository = 'a/b'\nsize_mb = 0\nram_mb = 1\nnote = 'n'",
            "t.toml:2: model.size_mb: ",
        ),
        ("# c\n\n[x", "t.toml:3: not TOML: "),
        ("a = \n", "t.toml:1: not TOML: "),
        ("[aliases]\nx = 'y'", "t.toml:2: x = 'y' names no model"),
        (
            "[[model]]\nname='a'\nrepository='a/b'\nsize_mb=1\nram_mb=1\nnote='n'\n" * 2,
            "t.toml:7: the model a stands twice",
        ),
    ],
)
def test_a_faulty_table_names_the_line(tmp_path: Path, text: str, fault: str) -> None:
    """DataError with file and line."""
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(DataError) as caught:
        load_table(tmp_path / "t.toml")
    assert str(caught.value).startswith(fault)


def test_locate_finds_what_is_complete(environ: dict[str, str], tmp_path: Path) -> None:
    """In the cache by name, alias or repository; half a download is not here."""
    assert locate("small", environ) is None
    put_in_cache(environ, "Systran/faster-whisper-small", file="config.json")
    assert locate("small", environ) is None
    whole = put_in_cache(environ, "Systran/faster-whisper-small", "r2")
    assert locate("small", environ) == whole
    turbo = put_in_cache(environ, "mobiuslabsgmbh/faster-whisper-large-v3-turbo")
    assert locate("turbo", environ) == locate("large-v3-turbo", environ) == turbo
    other = put_in_cache(environ, "me/mine")
    assert locate("me/mine", environ) == other
    assert locate("me/other", environ) is None


def test_of_several_revisions_the_newest_is_used(environ: dict[str, str]) -> None:
    """Names of revisions mean nothing: the time they were fetched decides."""
    folders = [put_in_cache(environ, "me/mine", revision) for revision in ("c", "a", "b")]
    for seconds, folder in zip((1, 3, 2), folders, strict=True):
        os.utime(folder, (seconds, seconds))
    assert locate("me/mine", environ) == folders[1]


def test_the_data_folder_comes_before_the_cache(environ: dict[str, str], tmp_path: Path) -> None:
    """A model put into the data folder by hand is the one that is used."""
    put_in_cache(environ, "Systran/faster-whisper-small")
    folder = tmp_path / ".local" / "share" / "claudia" / "models" / "small"
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    assert locate("small", environ) == folder
    assert locate("small", environ | {"XDG_DATA_HOME": str(tmp_path / "none")}) != folder


@pytest.mark.parametrize(
    ("variable", "below"),
    [("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")],
)
def test_the_cache_may_be_elsewhere(tmp_path: Path, environ: dict[str, str], variable: str, below: str) -> None:
    """The variables of huggingface_hub move the cache."""
    folder = tmp_path / "c" / below / "models--Systran--faster-whisper-tiny" / "snapshots" / "r"
    folder.mkdir(parents=True)
    (folder / "model.bin").touch()
    assert locate("tiny", environ | {variable: str(tmp_path / "c")}) == folder


def test_require_says_how_to_get_it(bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is missing is one line with the command; the embedded model cannot be fetched."""
    assert require("embedded", bare) == tmp_path / "embedded"
    with pytest.raises(EngineMissing, match=r"^small is not on this machine: claudiad models fetch small$"):
        require("small", bare)
    monkeypatch.setattr(models_cmd, "EMBEDDED_FOLDER", tmp_path / "gone")
    with pytest.raises(EngineMissing, match="reinstall claudiad"):
        require("embedded", bare)
    with pytest.raises(EngineMissing, match="reinstall claudiad"):
        fetch("embedded", bare)


def test_settings_get_the_folders_of_named_models(environ: dict[str, str]) -> None:
    """Names, aliases and repositories become folders; embedded and paths stay; a missing one is an error."""
    turbo = put_in_cache(environ, "mobiuslabsgmbh/faster-whisper-large-v3-turbo")
    mine = put_in_cache(environ, "me/mine")
    found = with_model_folders(Settings(stt=SttSettings(model="turbo", stop_model="me/mine", threads=3)), environ)
    assert found.stt == SttSettings(model=str(turbo), stop_model=str(mine), threads=3)
    kept = Settings(stt=SttSettings(model="/m", stop_model="embedded"))
    assert with_model_folders(kept, environ) == kept
    with pytest.raises(EngineMissing, match="claudiad models fetch small"):
        with_model_folders(Settings(stt=SttSettings(model="small")), environ)


def test_fetch_downloads_once(environ: dict[str, str]) -> None:
    """The repository of the name is fetched; a second time nothing is."""
    asked: list[str] = []

    def download(repository: str) -> str:
        asked.append(repository)
        return str(put_in_cache(environ, repository))

    first = fetch("large", environ, download)
    assert fetch("large-v3", environ, download) == first
    assert asked == ["Systran/faster-whisper-large-v3"]
    assert fetch("me/mine", environ, download).parent.parent.name == "models--me--mine"


def test_fetch_refuses_what_has_no_such_name(environ: dict[str, str]) -> None:
    """An unknown name is refused before anything is downloaded."""

    def download(_: str) -> str:
        raise AssertionError("nothing may be downloaded")

    for name in ("smal", "a/b/c", ""):
        with pytest.raises(EngineMissing, match="no model is called"):
            fetch(name, environ, download)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ConnectionError("[Errno -2] Name or service\nnot known"),
            "[Errno -2] Name or service not known; is there an internet",
        ),
        (RuntimeError("401 Client Error"), "401 Client Error"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_fetch_without_internet_is_one_line(environ: dict[str, str], error: Exception, line: str) -> None:
    """The innermost cause, in one line, as EngineMissing."""

    def download(_: str) -> str:
        raise ValueError("long story\nof the library") from error

    with pytest.raises(EngineMissing) as caught:
        fetch("small", environ, download)
    assert str(caught.value).startswith(f"small cannot be fetched from Systran/faster-whisper-small: {line}")
    assert "\n" not in str(caught.value)


def test_a_download_without_a_model_is_not_taken_for_one(environ: dict[str, str], tmp_path: Path) -> None:
    """A repository without model.bin is refused."""
    with pytest.raises(EngineMissing, match=r"me/mine came without model\.bin"):
        fetch("me/mine", environ, lambda _: str(tmp_path))


def test_the_real_download_fails_in_one_line(
    bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The library itself, forbidden to go online, gives one line on standard error and status 78."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", bare["HOME"])
    assert command("fetch", "tiny") == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tiny cannot be fetched from Systran/faster-whisper-tiny: ")
    assert err.count("\n") == 1


def test_rows_say_what_fits(bare: dict[str, str]) -> None:
    """The embedded model with its size on disk first; the others by free memory, with the command if not here."""
    folder = put_in_cache(bare, "Systran/faster-whisper-base", size=2_500_000)
    found = {row.name: row for row in rows(load_table(), bare, free_mb=2048)}
    assert next(iter(found)) == "embedded"
    assert (found["embedded"].size_mb, found["embedded"].fits, found["embedded"].command) == (2.0, True, None)
    assert (found["base"].size_mb, found["base"].path, found["base"].command) == (2.5, str(folder), None)
    assert (found["small"].fits, found["small"].command) == (True, "claudiad models fetch small")
    assert (found["large-v3"].fits, found["large-v3"].path) == (False, None)
    assert all(row.fits is None for row in rows(load_table(), bare, free_mb=None))


@pytest.mark.parametrize("text", [None, "", "MemAvailable:\n", "MemAvailable: lots kB\n", "MemAvailable: ²\n"])
def test_free_memory_may_be_unknown(tmp_path: Path, text: str | None) -> None:
    """A kernel that does not say is None, not an error."""
    if text is not None:
        (tmp_path / "m").write_text(text, encoding="utf-8")
    assert free_memory_mb(tmp_path / "m") is None


def test_free_memory(tmp_path: Path) -> None:
    """Kibibytes of /proc/meminfo become megabytes."""
    (tmp_path / "m").write_text("MemFree: 1 kB\nMemAvailable:   2000000 kB\n")
    assert free_memory_mb(tmp_path / "m") == 2048


def test_the_list_as_a_table(bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Every model with its figures, and the exact commands for those that fit and are not here."""
    monkeypatch.setenv("COLUMNS", "100")
    put_in_cache(bare, "Systran/faster-whisper-base")
    assert command() == command("list") == 0
    out = capsys.readouterr().out
    for name in ("embedded", *load_table().models):
        assert name in out
    assert "36.5" in out
    commands = [line.strip() for line in out.splitlines() if line.startswith("  claudiad models fetch")]
    assert commands == ["claudiad models fetch tiny", "claudiad models fetch small"] * 2


def test_the_list_as_json(bare: dict[str, str], capsys: Any) -> None:
    """One object per line, wherever --json stands."""
    assert command("--json") == 0
    first = capsys.readouterr().out
    assert command("list", "--json") == 0
    assert capsys.readouterr().out == first
    assert command("--json", "list") == 0
    assert capsys.readouterr().out == first
    objects = [json.loads(line) for line in first.splitlines()]
    speech = [each["name"] for each in objects if each["kind"] == "speech"]
    assert speech == ["embedded", *load_table().models]
    assert [each["name"] for each in objects if each["kind"] == "language"] == list(Settings().llm.models)
    assert objects[0] == {
        "kind": "speech",
        "name": "embedded",
        "size_mb": 2.0,
        "cer": None,
        "ram_mb": 60,
        "fits": True,
        "path": str(models_cmd.EMBEDDED_FOLDER),
        "command": None,
        "note": "made for robot talk only, not for the whole language",
    }


def test_path_and_fetch_print_the_folder(bare: dict[str, str], capsys: Any) -> None:
    """The folder of a model that is here, plain or as JSON; 78 and one line for one that is not."""
    folder = put_in_cache(bare, "Systran/faster-whisper-base")
    assert command("path", "base") == command("fetch", "base") == 0
    assert capsys.readouterr().out == f"{folder}\n{folder}\n"
    assert command("path", "base", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "base", "path": str(folder)}
    assert command("path", "tiny") == 78
    assert capsys.readouterr() == ("", "tiny is not on this machine: claudiad models fetch tiny\n")


def test_the_table_file_is_shipped() -> None:
    """The table lies in the package's data folder."""
    assert TABLE_FILE.parent.name == "data"
    assert TABLE_FILE.is_file()
