"""`claudiad doctor` and the language models, against a scripted Ollama."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import cli, doctor_models
from claudiad.app.finding import Finding
from claudiad.clock import JumpClock, SystemClock
from claudiad.config import Settings
from claudiad.llm.ollama_server import OllamaServer
from tests.app.room import settings_with
from tests.fakes.ollama import FakeOllama, Fault, OllamaTcp, OllamaTransport, ScriptedModel

OURS = "ClaudiaGo2_v11.3_Japanese"


def settings(*models: str, **more: dict[str, object]) -> Settings:
    return settings_with(llm={"enabled": True, "models": models}, **more)


@dataclass
class Place:
    """A server in virtual time."""

    core: FakeOllama
    front: OllamaTransport
    clock: JumpClock
    server: OllamaServer

    async def found(self, *models: str, **more: dict[str, object]) -> list[Finding]:
        return await doctor_models.examine_server(self.server, settings(*models, **more), self.clock, lambda _: None)


@asynccontextmanager
async def place(*models: ScriptedModel, max_loaded: int = 3) -> AsyncIterator[Place]:
    clock = JumpClock()
    core = FakeOllama(clock, models, max_loaded=max_loaded)
    front = OllamaTransport(core)
    server = OllamaServer(front.url, transport=front)
    yield Place(core, front, clock, server)
    await server.close()
    assert core.running == []


async def test_a_good_model_is_one_line_with_its_figures() -> None:
    """Where it is, that it keeps to a schema, and how fast it is."""
    async with place(ScriptedModel("m:3b", first_token_s=0.2, tokens_per_s=40, load_s=3.0)) as at:
        assert await at.found("m:3b") == [
            Finding("Ollama", "ok", "0.33.0 at http://127.0.0.1:11434"),
            Finding(
                "model m:3b",
                "ok",
                "3.1B Q4_K_M; loaded in 3.2 s; all of it on the GPU; structured output works; first token 200 ms; "
                "40.0 tokens/s",
            ),
        ]
        (_, again) = await at.found("m:3b")
        assert "; loaded; " in again.detail


@pytest.mark.parametrize(
    ("share", "verdict", "said", "remedy"),
    [
        (0.03, "warning", "3% of it on the GPU, the rest on the CPU", "a smaller model"),
        (0.0, "ok", "all of it on the CPU", "where there is a GPU"),
        (1.0, "ok", "all of it on the GPU", ""),
    ],
)
async def test_where_a_model_is_is_said(share: float, verdict: str, said: str, remedy: str) -> None:
    """Partly on a GPU is the fault that is looked for; a computer without one is none."""
    async with place(ScriptedModel("m:3b", gpu_share=share)) as at:
        (_, model) = await at.found("m:3b")
        assert (model.verdict, said in model.detail) == (verdict, True)
        assert model.remedy.startswith(remedy)
        assert bool(model.remedy) is bool(remedy)


async def test_what_is_not_installed_has_the_command_that_installs_it() -> None:
    """This program's own models are made, others pulled; nothing is asked of them."""
    async with place() as at:
        _, ours, other = await at.found(OURS, "qwen2.5:3b")
        assert ours == Finding(f"model {OURS}", "warning", "not installed", f"claudiad models create {OURS}")
        assert other.remedy == "ollama pull qwen2.5:3b"
        assert {asked.path for asked in at.core.requests} == {"/api/version", "/api/tags", "/api/ps"}


async def test_a_slow_model_is_warned_about() -> None:
    """Turns do not wait for it: the budget is named."""
    async with place(ScriptedModel("m:7b", first_token_s=1.2)) as at:
        (_, model) = await at.found("m:7b")
        assert model.verdict == "warning"
        assert "later than the 1000 ms of turn.simple_budget_ms" in model.detail
        (_, model) = await at.found("m:7b", turn={"simple_budget_ms": 1500})
        assert model.verdict == "ok"


async def test_a_model_that_cannot_be_loaded_is_a_warning() -> None:
    """With the server's own words, and where to read on."""
    async with place(ScriptedModel("m:3b")) as at:
        at.core.inject(Fault.STATUS_500)
        (_, model) = await at.found("m:3b")
        assert model.verdict == "warning"
        assert "runner has unexpectedly stopped" in model.detail
        assert "journalctl" in model.remedy


async def test_models_that_drive_each_other_out_are_noticed() -> None:
    """Each one works, but not both at once."""
    async with place(ScriptedModel("a:7b"), ScriptedModel("b:3b"), max_loaded=1) as at:
        found = await at.found("a:7b", "b:3b")
        assert [each.verdict for each in found] == ["ok", "ok", "ok", "warning"]
        assert (found[3].check, found[3].detail.split()[0]) == ("models together", "a:7b")


async def test_no_server_is_degraded_and_says_how_to_start_one() -> None:
    """And where it is looked for."""
    async with place() as at:
        await at.front.down()
        (found,) = await at.found("m:3b")
        assert (found.check, found.verdict) == ("Ollama", "warning")
        assert "http://127.0.0.1:11434" in found.detail
        assert found.remedy == "systemctl start ollama, or: ollama serve; if it runs elsewhere: set llm.host"
        at.server.address = "http://192.168.1.5:11434"
        (found,) = await at.found("m:3b")
        assert found.remedy.startswith("start Ollama there")


async def test_a_server_that_stalls_or_is_another_is_said_to_be() -> None:
    """The check ends."""
    async with place() as at:
        at.core.inject(Fault.SLOW_HEADERS, path="/api/version")
        (found,) = await at.found("m:3b")
        assert found.detail.endswith("does not answer within 5 s")
        assert found.remedy == "systemctl restart ollama"
        at.core.inject(Fault.STATUS_404, path="/api/version")
        (found,) = await at.found("m:3b")
        assert "llm.host" in found.remedy


async def test_off_is_off() -> None:
    """Nothing is looked for that will not be used."""
    assert await doctor_models.examine(settings_with(llm={"enabled": False})) == [
        Finding("language models", "ok", "off (llm.enabled is false)")
    ]


async def test_the_cloud_is_opened_and_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Enabled without a key, nothing would start: that is missing; the key itself is never shown."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    (_, cloud) = await doctor_models.examine(settings(cloud={"enabled": True}))
    assert (cloud.check, cloud.verdict) == ("cloud", "missing")
    assert "cloud.key_file" in cloud.remedy
    (tmp_path / "key").write_text("sk-very-secret", encoding="utf-8")
    (_, cloud) = await doctor_models.examine(settings(cloud={"enabled": True, "key_file": str(tmp_path / "key")}))
    assert cloud.verdict == "ok"
    assert "nothing was sent" in cloud.detail
    assert "secret" not in cloud.detail


async def test_an_address_that_is_none_is_missing() -> None:
    """With it nothing would start."""
    found = await doctor_models.examine(settings_with(llm={"enabled": True, "host": "ftp://x"}))
    assert (found[0].check, found[0].verdict) == ("Ollama", "missing")
    assert "llm.host" in found[0].detail


async def test_the_command_shows_it_and_its_status_does_not_depend_on_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Over a real port: exit 0 with a model that is not there."""
    core = FakeOllama(SystemClock(), [ScriptedModel("m:3b", load_s=0.02, first_token_s=0.01)])
    async with OllamaTcp(core) as front:
        monkeypatch.setenv("OLLAMA_HOST", front.url)
        words = ["doctor", "--json", "--set", "audio.microphone=none", "--set", "audio.speaker=none"]
        models = '["m:3b", "none:1b"]'
        assert await asyncio.to_thread(cli.main, [*words, "--set", f"llm.models={models}"]) == 0
    rows = {row["check"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert [row for row in rows if row.startswith("model ")] == ["model m:3b", "model none:1b"]
    assert rows["model m:3b"]["verdict"] == "ok"
    assert rows["model none:1b"]["remedy"] == "ollama pull none:1b"
    assert rows["cloud"]["detail"] == "off (cloud.enabled is false)"
