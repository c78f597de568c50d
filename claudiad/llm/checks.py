"""Is there an Ollama, and is each model what it should be: everything measured, everything with a deadline.

A model is tried as a turn would use it: loaded, its prompt read, one real request. What is tried beside that begins
with the same system message, so that what the server has computed of it for the next turn is not lost.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claudiad.clock import Clock
from claudiad.errors import ModelError
from claudiad.llm.measured import measure, within
from claudiad.llm.model import ChatRequest, Message
from claudiad.llm.ollama_address import same_model
from claudiad.llm.ollama_facts import Installed, Loaded
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Asked, Prompts
from claudiad.llm.request_class import PromptKind, classify
from claudiad.types import Posture, RobotState

LOOK_S = 5.0
"""Longest wait for what the server knows without a model, seconds."""
LOAD_S = 180.0
"""Longest wait for a model to be loaded: 5 GB from a slow card."""
ANSWER_S = 30.0
"""Longest wait for one answer."""
PATIENCE_S = 2.0
"""From here on is said what is waited for …"""
REMIND_S = 10.0
"""… and again after as long as this."""

ASKED = "可愛い動作して"
"""What is asked to measure a model: an action and some words, of the class `simple`."""
STANDING = RobotState(Posture.STANDING, 80)
"""The state that goes with it."""
HOUR = 15

_TINY = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}

Tell = Callable[[str], None]
"""Is told what is being waited for, in one line."""


@dataclass(frozen=True, slots=True)
class ServerFound:
    """A server that answers."""

    version: str
    installed: tuple[Installed, ...]
    loaded: tuple[Loaded, ...]

    def installed_as(self, model: str) -> Installed | None:
        """A model on its disk."""
        return next((each for each in self.installed if same_model(each.name, model)), None)

    def loaded_as(self, model: str) -> Loaded | None:
        """A model in its memory."""
        return next((each for each in self.loaded if same_model(each.name, model)), None)


@dataclass(frozen=True, slots=True)
class ModelTried:
    """One model that was loaded and asked."""

    load_s: float
    """How long it took to load it, if it was not loaded, and to read its prompt, seconds."""
    gpu_share: float | None
    """0 to 1; None when the server does not say."""
    first_token_ms: float | None
    """Of the real prompt, when its beginning had been read."""
    tokens_per_s: float | None
    """None also when the answer was too short to tell."""
    faults: tuple[str, ...]
    """What did not work, one line each."""


class Stalled(ModelError):
    """Somebody listens there, and says nothing."""


async def look(server: OllamaServer, clock: Clock) -> ServerFound:
    """What a server is and has. Raises `ModelError`, `Stalled` among them."""

    async def asked() -> ServerFound:
        return ServerFound(await server.version(), await server.installed(), await server.loaded())

    try:
        return await within(asked(), clock, LOOK_S)
    except TimeoutError:
        reason = f"Ollama at {server.address}: connected, but no answer in {LOOK_S:g} s: `systemctl restart ollama`"
        raise Stalled("timeout", reason) from None


async def load(server: OllamaServer, model: str, clock: Clock, tell: Tell, messages: Sequence[Message] = ()) -> float:
    """Load a model and let it read `messages`; how long that took, seconds. Raises `ModelError`."""
    began_at = clock.now()
    telling = asyncio.create_task(_tell(f"{model}: being loaded", clock, tell))
    try:
        await within(server.load(model, messages), clock, LOAD_S)
    except TimeoutError:
        raise ModelError("timeout", f"{model} on {server.address}: not loaded in {LOAD_S:g} s") from None
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    return clock.now() - began_at


async def try_model(server: OllamaServer, name: str, prompts: Prompts, clock: Clock, tell: Tell) -> ModelTried:
    """Load an installed model, and ask it for something real and for something tiny. Never raises `ModelError`."""
    system = prompts.warm_messages(PromptKind.COMMAND)
    try:
        load_s = await load(server, name, clock, tell, system)
        here = (await look(server, clock)).loaded_as(name)
    except ModelError as fault:
        return ModelTried(0.0, None, None, None, (str(fault),))
    faults = []
    model, share = server.model(name), here.gpu_share if here else None
    kind = PromptKind.COMMAND
    real = await measure(
        model, prompts.request(Asked(ASKED, kind, classify(ASKED), STANDING, HOUR, latched=False)), clock, ANSWER_S
    )
    if real.fault:
        faults.append(real.fault)
    else:
        tiny = await measure(
            model, ChatRequest((*system, Message("user", "「準備はいい」")), _TINY, 30), clock, ANSWER_S
        )
        if tiny.fault or not _is_tiny(tiny.text):
            faults.append(f"structured output does not work: {tiny.fault or _shown(tiny.text)}")
    speed = real.done.tokens_per_s if real.done is not None else None
    return ModelTried(load_s, share, real.first_token_ms, speed, tuple(faults))


async def _tell(what: str, clock: Clock, tell: Tell) -> None:
    waited = wait = PATIENCE_S
    while True:
        await clock.sleep(wait)
        tell(f"{what}, {waited:.0f} s so far")
        wait = REMIND_S
        waited += wait


def _is_tiny(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and list(answer) == ["ready"] and isinstance(answer["ready"], bool)


def _shown(text: str) -> str:
    return f"it wrote {' '.join(text.split())[:60]!r}"
