"""`claudiad models` and the language models: listed, pulled and made by a scripted Ollama."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import cli
from claudiad.clock import SystemClock
from claudiad.llm import checks, modelfile
from tests.fakes.ollama import FakeOllama, Fault, OllamaTcp, ScriptedModel

MODELFILE = (
    'FROM qwen2.5:3b\nPARAMETER num_ctx 2048\nSYSTEM """犬です。"""\nMESSAGE user 立って\nMESSAGE assistant はい\n'
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no configuration, Modelfiles for Mine and Other, and no Ollama; its folder of Modelfiles."""
    folder = tmp_path / "modelfiles"
    folder.mkdir()
    for name in ("Mine", "Other"):
        (folder / f"{name}.Modelfile").write_text(MODELFILE, encoding="utf-8")
    monkeypatch.setattr(modelfile, "shipped_folder", lambda: folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLAUDIA_LLM_MODELS", '["Mine", "qwen2.5:3b"]')
    # Nobody listens on port 1.
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    return folder


@pytest.fixture
async def core(machine: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    """The same machine with an Ollama that has nothing yet."""
    made = FakeOllama(SystemClock(), library=[ScriptedModel("qwen2.5:3b", gpu_share=0.5)])
    async with OllamaTcp(made) as front:
        monkeypatch.setenv("OLLAMA_HOST", front.url)
        yield made


async def models(*words: str) -> int:
    """`claudiad models`, in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(cli.main, ["models", *words])


def language(out: str) -> list[dict[str, Any]]:
    """The language models among the lines of `--json`."""
    return [row for row in map(json.loads, out.splitlines()) if row["kind"] == "language"]


async def test_the_list_says_what_ollama_has(core: FakeOllama, capsys: Any) -> None:
    """Installed, size, loaded, share on the GPU, and the command for what is missing; exit 0."""
    core.models["qwen2.5:3b"] = core.library["qwen2.5:3b"]
    async with core.memory.use(core.models["qwen2.5:3b"], 2048, None):
        pass
    assert await models("--json") == 0
    mine, base = language(capsys.readouterr().out)
    assert mine == {
        "kind": "language",
        "name": "Mine",
        "size_mb": None,
        "parameters": "",
        "quantization": "",
        "loaded": False,
        "gpu_share": None,
        "installed": False,
        "command": "claudiad models create Mine",
        "note": "",
    }
    assert (base["installed"], base["size_mb"], base["loaded"], base["gpu_share"]) == (True, 2000.0, True, 0.5)
    assert await models("list") == 0
    out = capsys.readouterr().out
    assert "Speech models" in out
    assert "50%" in out
    assert out.endswith("To get what is missing:\n  claudiad models create Mine\n")


async def test_without_a_server_the_list_is_still_there(machine: Path, capsys: Any) -> None:
    """One line says why and what to do; exit 0."""
    assert await models() == 0
    out = capsys.readouterr().out
    assert "embedded" in out
    assert out.count("Ollama at http://127.0.0.1:1: nobody answers there: is it running") == 1
    assert await models("list", "--json") == 0
    rows = language(capsys.readouterr().out)
    assert [(row["name"], row["installed"], row["command"]) for row in rows] == [
        ("Mine", None, None),
        ("qwen2.5:3b", None, None),
    ]
    assert all(row["note"].startswith("Ollama at ") for row in rows)


async def test_a_server_that_never_answers_does_not_hold_the_list(
    core: FakeOllama, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """After a while the list comes without it."""
    monkeypatch.setattr(checks, "LOOK_S", 0.01)
    core.inject(Fault.SLOW_HEADERS, path="/api/tags")
    assert await models() == 0
    assert "connected, but no answer" in capsys.readouterr().out


async def test_a_switched_off_model_says_so(core: FakeOllama, capsys: Any) -> None:
    """The settings come from everywhere settings come from."""
    assert await models("--set", "llm.enabled=false") == 0
    assert "llm.enabled is false" in capsys.readouterr().out
    assert await models("list", "--set", "llm.host=ftp://x") == 78
    assert "llm.host" in capsys.readouterr().err


async def test_create_pulls_the_base_and_makes_the_model(core: FakeOllama, capsys: Any) -> None:
    """Without names: those configured that have a Modelfile. Progress goes to standard error."""
    assert await models("create") == 0
    out, err = capsys.readouterr()
    assert out == "Mine: made\n"
    assert "qwen2.5:3b: success" in err
    assert "Mine: success" in err
    made = core.models["mine:latest"]
    assert (made.system, made.parameters) == ("犬です。", {"num_ctx": 2048})
    assert [message["role"] for message in made.messages] == ["user", "assistant"]
    assert await models("create", "--json", "Other", "mine:latest") == 0
    assert [row["name"] for row in language(capsys.readouterr().out)] == ["Other", "Mine"]
    assert sum(asked.path == "/api/pull" for asked in core.requests) == 1


async def test_create_needs_a_modelfile(core: FakeOllama, machine: Path, capsys: Any) -> None:
    """A name without one and a malformed one are errors before anything is made."""
    assert await models("create", "Mine", "Nobody") == 78
    assert capsys.readouterr().err == "there is no Modelfile for Nobody; there are: Mine, Other\n"
    (machine / "Other.Modelfile").write_text("FROM a\nSYSTEN b\n")
    assert await models("create", "Mine", "Other") == 65
    assert capsys.readouterr().err == f"{machine}/Other.Modelfile:2: 'SYSTEN' is no instruction of a Modelfile\n"
    assert core.requests == []
    assert await models("create", "--set", "llm.models=['a:1b']") == 78
    assert capsys.readouterr().err == "no model of llm.models has a Modelfile; there are: Mine, Other\n"


async def test_pull_fetches_a_model(core: FakeOllama, capsys: Any) -> None:
    """From Ollama's library, with progress; as JSON, without."""
    assert await models("pull", "qwen2.5:3b") == 0
    out, err = capsys.readouterr()
    assert out == "qwen2.5:3b: pulled\n"
    assert "success" in err
    assert await models("--json", "pull", "qwen2.5:3b") == 0
    out, err = capsys.readouterr()
    assert (language(out)[0]["installed"], err) == (True, "")


async def test_what_cannot_be_pulled_is_one_line(core: FakeOllama, capsys: Any) -> None:
    """The status of the error; a model that is made is not looked for in the library."""
    assert await models("pull", "nobody:1b", "--json") == 69
    assert capsys.readouterr().err.startswith(f"nobody:1b on {os.environ['OLLAMA_HOST']}: Ollama's library has no")
    assert await models("pull", "Mine") == 78
    assert capsys.readouterr().err == "Mine is not pulled but made: `claudiad models create Mine`\n"


async def test_a_base_the_library_has_not_stops_the_making(core: FakeOllama, machine: Path, capsys: Any) -> None:
    """What was made before it stays."""
    (machine / "Other.Modelfile").write_text("FROM nobody:1b\n")
    assert await models("create", "--json", "Mine", "Other") == 69
    out, err = capsys.readouterr()
    assert [row["name"] for row in language(out)] == ["Mine"]
    assert err.startswith("nobody:1b on ")
    assert set(core.models) == {"qwen2.5:3b", "mine:latest"}
