"""The language models of `claudiad doctor`: the server, each model, the cloud.

Nothing of it is needed: without any model the robot hears, stops and does what its tables know. So what is not there is
a warning; only what would keep the program from starting is missing. The cloud is looked at without being asked.
"""

from __future__ import annotations

import sys

from claudiad.app.finding import Finding, of_fault
from claudiad.app.language_models import open_cloud
from claudiad.app.ollama_models import open_server
from claudiad.clock import Clock, SystemClock
from claudiad.config import Settings
from claudiad.errors import ConfigError, EngineMissing, ModelError
from claudiad.llm.checks import LOOK_S, ModelTried, ServerFound, Stalled, Tell, look, try_model
from claudiad.llm.ollama_address import is_this_computer
from claudiad.llm.ollama_facts import Installed
from claudiad.llm.ollama_faults import remedy
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Prompts
from claudiad.robot.registry import load as load_registry

WHOLE = 0.995
"""Share from which a model counts as wholly on the GPU."""


def on_stderr(line: str) -> None:
    """Say what is being waited for."""
    print(line, file=sys.stderr, flush=True)


async def examine(settings: Settings, tell: Tell = on_stderr) -> list[Finding]:
    """All there is to say about language models. Takes as long as the models take to load, within bounds."""
    if not settings.llm.enabled:
        return [Finding("language models", "ok", "off (llm.enabled is false)")]
    clock = SystemClock()
    try:
        server = open_server(settings)
    except ConfigError as fault:
        found = [Finding("Ollama", "missing", line, "mend that address") for line in fault.faults]
    else:
        try:
            found = await examine_server(server, settings, clock, tell)
        finally:
            await server.close()
    return [*found, await _cloud(settings, clock)]


async def examine_server(server: OllamaServer, settings: Settings, clock: Clock, tell: Tell) -> list[Finding]:
    """The server and each configured model, in their order."""
    try:
        here = await look(server, clock)
    except ModelError as fault:
        return [_no_server(server, fault)]
    found = [Finding("Ollama", "ok", f"{here.version} at {server.address}")]
    s, asked = settings.llm, []
    prompts = Prompts(
        load_registry(), allow_high_risk=settings.robot.allow_high_risk, limit=s.num_predict, num_ctx=s.num_ctx
    )
    for name in s.models:
        installed = here.installed_as(name)
        if installed is None:
            found.append(Finding(_check(name), "warning", "not installed", remedy(name)))
            continue
        tried = await try_model(server, name, prompts, clock, tell)
        found.append(_model(name, installed, here, tried, settings.turn.simple_budget_ms))
        if not tried.faults:
            asked.append(name)
    return [*found, *await _room(server, asked, clock)]


def _check(name: str) -> str:
    return f"model {name}"


def _no_server(server: OllamaServer, fault: ModelError) -> Finding:
    """Degraded, not fatal: it is found again when it is there."""
    if isinstance(fault, Stalled):
        detail = f"{server.address} takes connections and does not answer within {LOOK_S:g} s"
        return Finding("Ollama", "warning", detail, "systemctl restart ollama")
    if fault.fault not in ("unreachable", "timeout"):
        return Finding("Ollama", "warning", str(fault), "is that an Ollama, and a recent one? else set llm.host")
    what = f"nobody answers at {server.address}: only what needs no model is understood"
    here = is_this_computer(server.address)
    start = "systemctl start ollama, or: ollama serve" if here else "start Ollama there (OLLAMA_HOST=0.0.0.0)"
    return Finding("Ollama", "warning", what, f"{start}; if it runs elsewhere: set llm.host")


def _model(name: str, installed: Installed, before: ServerFound, tried: ModelTried, budget_ms: int) -> Finding:
    """One line about a model that is installed, with everything that can be mended."""
    about = " ".join(part for part in (installed.parameter_size, installed.quantization) if part)
    loaded = "loaded" if before.loaded_as(name) else f"loaded in {tried.load_s:.1f} s"
    remedies: list[str] = []
    details = [about] if about else []
    if tried.first_token_ms is None and tried.faults:
        return Finding(_check(name), "warning", "; ".join((*details, *tried.faults)), "journalctl -u ollama says why")
    details += [loaded, _share(tried.gpu_share)]
    warned = bool(tried.faults)
    if tried.gpu_share is not None and 0 < tried.gpu_share < WHOLE:
        warned = True
        remedies.append("a smaller model, a smaller llm.num_ctx or more free GPU memory")
    elif tried.gpu_share == 0:
        remedies.append("where there is a GPU, journalctl -u ollama says why it is not used")
    if tried.faults:
        details += tried.faults
        remedies.append("update Ollama and the model; journalctl -u ollama says more")
    else:
        details.append("structured output works")
    if tried.first_token_ms is not None:
        details.append(f"first token {tried.first_token_ms:.0f} ms")
    if tried.tokens_per_s is not None:
        details.append(f"{tried.tokens_per_s:.1f} tokens/s")
    if tried.first_token_ms is not None and tried.first_token_ms > budget_ms:
        warned = True
        details.append(f"later than the {budget_ms} ms of turn.simple_budget_ms")
        remedies.append("a smaller model in llm.models: this one is not waited for")
    return Finding(_check(name), "warning" if warned else "ok", "; ".join(details), "; ".join(remedies))


def _share(share: float | None) -> str:
    if share is None:
        return "the server does not say where"
    if share == 0:
        return "all of it on the CPU"
    return "all of it on the GPU" if share >= WHOLE else f"{share:.0%} of it on the GPU, the rest on the CPU"


async def _room(server: OllamaServer, asked: list[str], clock: Clock) -> list[Finding]:
    """A finding when the models that work do not fit into the server's memory together."""
    try:
        here = await look(server, clock)
    except ModelError as fault:
        return [_no_server(server, fault)]
    gone = [name for name in asked if here.loaded_as(name) is None]
    if not gone:
        return []
    detail = f"{', '.join(gone)} was driven out while another was loaded: there is no room for all of them"
    mend = "OLLAMA_MAX_LOADED_MODELS, a smaller model, or fewer in llm.models"
    return [Finding("models together", "warning", detail, mend)]


async def _cloud(settings: Settings, clock: Clock) -> Finding:
    """As the program opens it, without sending anything. Enabled and not usable, nothing starts."""
    try:
        cloud = open_cloud(settings, clock, None)
    except EngineMissing as fault:
        return of_fault("cloud", str(fault))
    if cloud is None:
        return Finding("cloud", "ok", "off (cloud.enabled is false)")
    await cloud.close()
    detail = f"{cloud.name}: key and SDK are here, nothing was sent; at most {settings.cloud.daily_usd:g} USD a day"
    return Finding("cloud", "ok", detail)
